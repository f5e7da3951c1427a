import { type ApiKeyRow, insertApiKey, listApiKeys, revokeApiKey } from '../../db/queries/access.ts'
import { AppError, notFound } from '../../errors.ts'
import { toBase64Url } from '../../lib/base64url.ts'
import { sha256Hex } from '../../lib/hash.ts'
import { isId, newId } from '../../lib/ids.ts'
import type { ServiceContext } from '../context.ts'
import { requireScope, scopesOf } from '../scope.ts'
import type { Directory } from './identify.ts'
import { ApiKey, type CreateApiKey, type CreatedApiKey } from './schemas.ts'

/** How much of a key is kept readable, for people to recognise it by. */
const PREFIX_LENGTH = 10

function present(row: ApiKeyRow): ApiKey {
  return ApiKey.parse(row)
}

/**
 * Makes a key of the workspace. Nobody can give a key more than they have themselves.
 * @param operator whether the person asking runs the deployment
 */
export async function createApiKey(
  ctx: ServiceContext,
  input: CreateApiKey,
  operator: boolean,
): Promise<CreatedApiKey> {
  requireScope(ctx.actor, 'admin')
  const own = new Set<string>(scopesOf(ctx.actor))
  if (operator) own.add('operator')
  const beyond = input.scopes.filter((scope) => !own.has(scope))
  if (beyond.length > 0)
    throw new AppError(
      'insufficient_role',
      `You cannot give a key a scope you do not have: ${beyond.join(', ')}.`,
    )
  const key = `tm_${toBase64Url(crypto.getRandomValues(new Uint8Array(32)))}`
  const now = ctx.clock.now()
  const [[row]] = await ctx.db.inWorkspace(ctx.workspace.id, [
    insertApiKey(ctx.workspace.id, {
      id: newId(now),
      name: input.name,
      prefix: key.slice(0, PREFIX_LENGTH),
      hash: await sha256Hex(key),
      scopes: [...new Set(input.scopes)],
      createdBy: ctx.actor.kind === 'user' ? ctx.actor.userId : null,
      expiresAt:
        input.expiresInDays === undefined
          ? null
          : new Date(now + input.expiresInDays * 86_400_000).toISOString(),
    }),
  ])
  if (row === undefined) throw new AppError('internal', 'The key was not stored.')
  return { ...present(row), key }
}

export async function getApiKeys(ctx: ServiceContext): Promise<ApiKey[]> {
  requireScope(ctx.actor, 'admin')
  const [rows] = await ctx.db.inWorkspace(ctx.workspace.id, [listApiKeys(ctx.workspace.id)])
  return rows.map(present)
}

export async function removeApiKey(ctx: ServiceContext, id: string, directory: Directory): Promise<void> {
  requireScope(ctx.actor, 'admin')
  if (!isId(id)) throw notFound('API key')
  const [[row]] = await ctx.db.inWorkspace(ctx.workspace.id, [revokeApiKey(ctx.workspace.id, id)])
  if (row === undefined) throw notFound('API key')
  directory.forgetKey(row.hash)
}
