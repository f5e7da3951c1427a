import { type AccountRow, accountWritten, readPublicly, useCredential } from '../../db/queries/accounts.ts'
import { removeCredential, stopWithoutCredential, storeCredential } from '../../db/queries/credentials.ts'
import { lockWorkspace, raiseGeneration, undeliveredEvents } from '../../db/queries/ingest/index.ts'
import { PLATFORM_FACTS } from '../../domain/platforms.ts'
import { AppError, notFound } from '../../errors.ts'
import { newId } from '../../lib/ids.ts'
import { callFor } from '../accounts/connector-context.ts'
import { getAccountRow } from '../accounts/get-account-row.ts'
import { audit } from '../audit/record.ts'
import type { ServiceContext } from '../context.ts'
import { deliverEvents } from '../ingest/deliver-events.ts'
import { requirePermission } from '../permissions.ts'
import { requireTokens, tokenRefusal } from './check-token.ts'
import type { AccountCredentials } from './schemas.ts'

/**
 * Stores what an account is read with from now on, in place of what was there; its server is asked first. An
 * account that the server had refused is read again.
 * @throws conflict for an imported account; platform_auth_required when the server refuses the token
 */
export async function storeCredentials(
  ctx: ServiceContext,
  id: string,
  input: AccountCredentials,
): Promise<void> {
  requirePermission(ctx.actor, 'accounts.write')
  const row = await requireLive(ctx, id)
  if (row.source === 'import')
    throw new AppError('conflict', 'An imported account is not read, so it needs no credential.')
  const { tokens, vault } = await requireTokens(ctx, row.platform, '/accessToken')
  if (row.host === null) throw new AppError('internal', 'The account has no server.')
  const accessToken = { value: input.accessToken, host: row.host, allowance: row.id }
  await callFor(ctx, row.platform, (context) => tokens.verify(context, accessToken)).catch(
    (error: unknown) => {
      throw tokenRefusal(error, '/accessToken')
    },
  )
  const workspaceId = ctx.workspace.id
  const sealed = await vault.seal(
    { workspaceId, accountId: row.id, platform: row.platform },
    { accessToken: input.accessToken },
  )
  const nowMs = ctx.clock.now()
  const nowIso = new Date(nowMs).toISOString()
  const credential = { id: newId(nowMs), accountId: row.id, ...sealed, expiresAt: null, nowIso }
  const [, stored, , , pending] = await ctx.db.inWorkspace(workspaceId, [
    lockWorkspace(workspaceId),
    storeCredential(workspaceId, credential),
    useCredential(workspaceId, row.id, nowIso, false),
    raise(workspaceId, row.id),
    undeliveredEvents(workspaceId),
    entry(ctx, 'credentials.stored', row),
  ])
  await deliverEvents(ctx, workspaceId, pending)
  if (stored.length === 0) throw notFound('account')
}

/**
 * Removes what an account is read with; from then on it is read as anybody may or, where nobody may without
 * having been let in, no more. Repeating it changes nothing.
 */
export async function removeCredentials(ctx: ServiceContext, id: string): Promise<void> {
  requirePermission(ctx.actor, 'accounts.write')
  const row = await requireLive(ctx, id)
  if (row.credentialsUpdatedAt === null) return
  const workspaceId = ctx.workspace.id
  const connectors = await ctx.connectors()
  const [, , , , pending] = await ctx.db.inWorkspace(workspaceId, [
    lockWorkspace(workspaceId),
    removeCredential(workspaceId, row.id),
    connectors[row.platform]?.oauth === undefined
      ? readPublicly(workspaceId, row.id, new Date(ctx.clock.now()).toISOString())
      : stopWithoutCredential(workspaceId, row.id, removedReason(row)),
    raise(workspaceId, row.id),
    undeliveredEvents(workspaceId),
    entry(ctx, 'credentials.removed', row),
  ])
  await deliverEvents(ctx, workspaceId, pending)
}

function removedReason({ platform }: AccountRow): string {
  return `Somebody removed what this account was read with: sign in at ${PLATFORM_FACTS[platform].label} again.`
}

async function requireLive(ctx: ServiceContext, id: string): Promise<AccountRow> {
  const row = await getAccountRow(ctx, id)
  if (row.deletedAt !== null) throw notFound('account')
  return row
}

const raise = (workspaceId: string, id: string) =>
  raiseGeneration(workspaceId, [
    { type: 'metrics.updated', data: { accounts: [{ id, delta: {} }], posts: [] } },
  ])

function entry(
  ctx: ServiceContext,
  action: 'credentials.stored' | 'credentials.removed',
  { id, handle, platform }: AccountRow,
) {
  return audit(ctx, {
    action,
    target: { kind: 'account', id, name: handle },
    details: { platform },
    onlyIf: accountWritten(ctx.workspace.id, id),
  })
}
