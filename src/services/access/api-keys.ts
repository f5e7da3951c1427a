import {
  type ApiKeyRow,
  insertApiKey,
  keyStands,
  listApiKeys,
  lockRights,
  proceedOnlyIf,
  revokeApiKeys,
  selectApiKey,
  stillStands,
  wasOvertaken,
} from '../../db/queries/access.ts'
import { AppError, notFound } from '../../errors.ts'
import { toBase64Url } from '../../lib/base64url.ts'
import { sha256Hex } from '../../lib/hash.ts'
import { isId, newId } from '../../lib/ids.ts'
import { audit } from '../audit/record.ts'
import type { ServiceContext } from '../context.ts'
import { requirePermission, scopesOf } from '../permissions.ts'
import { type Forgetful, makeFelt } from './losses.ts'
import { ApiKey, type CreateApiKey, type CreatedApiKey } from './schemas.ts'
import { rightsChanged, standingOf } from './standing.ts'

/** How much of a key is kept readable, for people to recognise it by. */
const PREFIX_LENGTH = 10

function present({ readsPerMinute, writesPerMinute, ...row }: ApiKeyRow): ApiKey {
  return ApiKey.parse({ ...row, limits: { readsPerMinute, writesPerMinute } })
}

/**
 * Makes a key of the workspace. Nobody can give a key more than they have themselves; one that was made by
 * a key belongs to the same person as that.
 */
export async function createApiKey(ctx: ServiceContext, input: CreateApiKey): Promise<CreatedApiKey> {
  requirePermission(ctx.actor, 'keys.manage')
  const own = new Set<string>(scopesOf(ctx.actor))
  const beyond = input.scopes.filter((scope) => !own.has(scope))
  if (beyond.length > 0)
    throw new AppError(
      'insufficient_role',
      `You cannot give a key a scope you do not have: ${beyond.join(', ')}.`,
    )
  const workspaceId = ctx.workspace.id
  const key = `tm_${toBase64Url(crypto.getRandomValues(new Uint8Array(32)))}`
  const now = ctx.clock.now()
  const by = standingOf(ctx.actor)
  const made = {
    id: newId(now),
    name: input.name,
    prefix: key.slice(0, PREFIX_LENGTH),
    hash: await sha256Hex(key),
    scopes: [...new Set(input.scopes)],
    by,
    expiresAt:
      input.expiresInDays === undefined
        ? null
        : new Date(now + input.expiresInDays * 86_400_000).toISOString(),
    readsPerMinute: input.limits?.readsPerMinute ?? null,
    writesPerMinute: input.limits?.writesPerMinute ?? null,
  }
  const { id, name, scopes, expiresAt } = made
  const [, , [row]] = await ctx.db
    .inWorkspace(workspaceId, [
      lockRights(workspaceId),
      proceedOnlyIf(stillStands(workspaceId, by)),
      insertApiKey(workspaceId, made),
      audit(ctx, {
        action: 'api_key.created',
        target: { kind: 'api_key', id, name },
        details: { scopes, expiresAt, ...(input.limits !== undefined && { limits: input.limits }) },
      }),
    ])
    .catch((error: unknown) => {
      throw wasOvertaken(error) ? rightsChanged() : error
    })
  if (row === undefined) throw new AppError('internal', 'The key was not stored.')
  return { ...present(row), key }
}

export interface ApiKeyPage {
  items: ApiKey[]
  /** The last one's id, where there are more. */
  next: string | null
}

/** Keys of the workspace that were not revoked, the newest first. */
export async function listApiKeysPage(
  ctx: ServiceContext,
  page: { limit: number; before: string | null },
): Promise<ApiKeyPage> {
  requirePermission(ctx.actor, 'keys.manage')
  const [rows] = await ctx.db.inWorkspace(ctx.workspace.id, [listApiKeys(ctx.workspace.id, page)])
  const items = rows.slice(0, page.limit).map(present)
  return { items, next: rows.length > page.limit ? (items.at(-1)?.id ?? null) : null }
}

/** Revokes a key; its live connections end. @throws not_found, also for one that is revoked already */
export async function removeApiKey(ctx: ServiceContext, id: string, directory: Forgetful): Promise<void> {
  requirePermission(ctx.actor, 'keys.manage')
  if (!isId(id)) throw notFound('API key')
  const workspaceId = ctx.workspace.id
  const [[key]] = await ctx.db.inWorkspace(workspaceId, [selectApiKey(workspaceId, id)])
  if (key === undefined) throw notFound('API key')
  await ctx.db
    .inWorkspace(workspaceId, [
      lockRights(workspaceId),
      proceedOnlyIf(keyStands(workspaceId, id)),
      revokeApiKeys(workspaceId, [id]),
      audit(ctx, { action: 'api_key.revoked', target: { kind: 'api_key', id, name: key.name } }),
    ])
    .catch((error: unknown) => {
      throw wasOvertaken(error) ? notFound('API key') : error
    })
  await makeFelt(ctx, directory, { userId: null, keys: [key] })
}
