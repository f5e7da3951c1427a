import { type AuthorizationRow, connectedAccounts } from '../../db/queries/authorizations.ts'
import type { ServiceContext } from '../context.ts'
import { getOwnAuthorization } from './own-authorization.ts'
import type { Authorization } from './schemas.ts'

/** How far an authorization is, and what may be connected by it. */
export async function getAuthorization(ctx: ServiceContext, id: string): Promise<Authorization> {
  const row = await getOwnAuthorization(ctx, id)
  const { platform, candidates, expiresAt } = row
  const ids = candidates.map(({ externalId }) => externalId)
  const [connected] =
    ids.length === 0
      ? [[]]
      : await ctx.db.inWorkspace(ctx.workspace.id, [connectedAccounts(ctx.workspace.id, platform, ids)])
  const accountIds = new Map(connected.map((account) => [account.externalId, account.id]))
  const status = statusOf(row, ctx.clock.now())
  return {
    id: row.id,
    platform,
    status,
    reason: status === 'expired' ? EXPIRED : row.reason,
    accounts: candidates.map(({ externalId, handle, displayName, avatarUrl, followers }) => ({
      ...{ externalId, handle, displayName, avatarUrl, followers },
      connectedAccountId: accountIds.get(externalId) ?? null,
    })),
    expiresAt,
  }
}

const EXPIRED = 'This took too long: begin again.'

/** What still waits for somebody waits until it expires. */
function statusOf({ status, expiresAt }: AuthorizationRow, nowMs: number): Authorization['status'] {
  const isWaiting = status === 'pending' || status === 'granted'
  return isWaiting && Date.parse(expiresAt) <= nowMs ? 'expired' : status
}
