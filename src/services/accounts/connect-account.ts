import { isUniqueViolation } from '../../db/client.ts'
import {
  ACCOUNT_UNIQUE,
  type AccountRow,
  brandExists,
  findByExternalId,
  insertAccount,
} from '../../db/queries/accounts.ts'
import { lockWorkspace, raiseGeneration, undeliveredEvents } from '../../db/queries/ingest/index.ts'
import { AppError, invalidRequest } from '../../errors.ts'
import { newId } from '../../lib/ids.ts'
import type { ServiceContext } from '../context.ts'
import { deliverEvents } from '../ingest/deliver-events.ts'
import { toAppError } from '../platform-errors.ts'
import { requireScope } from '../scope.ts'
import { queueFirstSync } from '../sync/queue.ts'
import { connectorContext, connectorOf } from './connector-context.ts'
import { presentAccount } from './present.ts'
import type { Account, ConnectAccount } from './schemas.ts'

/**
 * Connects an account by whatever a person pasted. The platform is asked first, so that nothing is stored of
 * a handle it does not know; the first sync is queued.
 * @throws account_not_found, already_connected (with the id), platform_unavailable …
 */
export async function connectAccount(ctx: ServiceContext, input: ConnectAccount): Promise<Account> {
  requireScope(ctx.actor, 'write')
  const workspaceId = ctx.workspace.id
  const connector = connectorOf(ctx, input.platform)
  const profile = await connector
    .resolve(connectorContext(ctx, input.platform), input.handle)
    .catch((error: unknown) => {
      throw toAppError(error)
    })
  const [existing, brand] = await ctx.db.inWorkspace(workspaceId, [
    findByExternalId(workspaceId, { platform: input.platform, ...profile }),
    brandExists(workspaceId, input.brandId ?? NO_ID),
  ])
  if (existing[0] !== undefined) throw alreadyConnected(profile.handle, existing[0].id)
  if (input.brandId !== undefined && brand.length === 0)
    throw invalidRequest([{ pointer: '/brandId', detail: 'There is no such brand.' }])

  const nowIso = new Date(ctx.clock.now()).toISOString()
  const account = {
    id: newId(ctx.clock.now()),
    platform: input.platform,
    externalId: profile.externalId,
    host: profile.host,
    handle: profile.handle,
    displayName: profile.displayName,
    url: profile.url,
    avatarUrl: profile.avatarUrl,
    brandId: input.brandId ?? null,
    trackedSince: nowIso,
  }
  let row: AccountRow | undefined
  try {
    const [, inserted, , pending] = await ctx.db.inWorkspace(workspaceId, [
      lockWorkspace(workspaceId),
      insertAccount(workspaceId, account),
      raiseGeneration(workspaceId, [
        { type: 'metrics.updated', data: { accounts: [{ id: account.id, delta: {} }], posts: [] } },
      ]),
      undeliveredEvents(workspaceId),
    ])
    row = inserted[0]
    await deliverEvents(ctx, workspaceId, pending)
  } catch (error) {
    if (!isUniqueViolation(error, ACCOUNT_UNIQUE)) throw error
    const [[other]] = await ctx.db.inWorkspace(workspaceId, [
      findByExternalId(workspaceId, { platform: input.platform, ...profile }),
    ])
    throw alreadyConnected(profile.handle, other?.id)
  }
  if (row === undefined) throw new AppError('internal', 'The account was not stored.')
  // The next plan would find it as well; this only saves the wait.
  await queueFirstSync(ctx, row).catch((error: unknown) =>
    ctx.log.warn('first sync left to the next plan', { accountId: account.id, error }),
  )
  return presentAccount(row, ctx.clock.now())
}

/** Matches nothing: ids are version 7. */
const NO_ID = '00000000-0000-0000-0000-000000000000'

function alreadyConnected(handle: string, id: string | undefined): AppError {
  return new AppError('already_connected', `${handle} is already connected in this workspace.`, {
    ...(id === undefined ? {} : { existingId: id }),
    fields: [{ pointer: '/handle', detail: 'already connected' }],
  })
}
