import { z } from 'zod'
import { keepFromPublic } from '../../db/queries/credentials.ts'
import { advanceBackfill, selectBackfill } from '../../db/queries/sync.ts'
import { MAX_PERIOD_DAYS } from '../../domain/periods.ts'
import { PlatformError } from '../../ports.ts'
import { connectorContext, connectorOf } from '../accounts/connector-context.ts'
import type { ServiceDeps } from '../context.ts'
import { credentialFor } from '../credentials/open-credentials.ts'
import { ingest } from '../ingest/ingest.ts'
import type { BackfillMessage } from './messages.ts'
import { backfillMessage, queueError } from './queue.ts'
import { toReading } from './readings.ts'

/** The longest period that can be asked for, and the one that it is compared with. */
const BACKFILL_DAYS = 2 * MAX_PERIOD_DAYS

const Moved = z.object({ cursor: z.string().nullable() })

/**
 * Reads one page of an account's older posts and queues the next. Where it stands is moved in the same
 * transaction as the posts are stored, so that a repeated or broken delivery neither skips nor repeats one.
 */
export async function backfill(deps: ServiceDeps, message: BackfillMessage): Promise<void> {
  const { workspaceId, accountId } = message
  const [[state]] = await deps.db.inWorkspace(workspaceId, [selectBackfill(workspaceId, accountId)])
  if (state === undefined || state.cursor === null) return
  const { platform, host, cursor } = state
  const connector = connectorOf(deps, platform)
  const credential = await credentialFor(deps, connector, host, { workspaceId, id: accountId })
  const observedAtMs = deps.clock.now()
  let page: Awaited<ReturnType<typeof connector.fetchPosts>>
  try {
    if (credential?.error !== undefined) throw credential.error
    page = await connector.fetchPosts(
      connectorContext(deps, platform, credential?.accessToken),
      state,
      cursor,
    )
  } catch (error) {
    if (!(error instanceof PlatformError) || error.kind !== 'rate_limited') throw queueError(error)
    const delaySeconds = Math.ceil((error.retryAfterMs ?? 60_000) / 1_000)
    await deps.queue.publish([await backfillMessage(platform, host, message, cursor, delaySeconds)])
    return
  }
  const oldest = page.posts.at(-1)
  const farEnough =
    oldest !== undefined && observedAtMs - Date.parse(oldest.postedAt) > BACKFILL_DAYS * 86_400_000
  const { alongside } = await ingest(deps, {
    workspaceId,
    posts: page.posts.map((post) => toReading(accountId, post, observedAtMs)),
    alongside: [
      advanceBackfill(workspaceId, accountId, {
        from: cursor,
        to: farEnough ? null : page.nextCursor,
        ids: page.posts.map((post) => post.platformPostId),
        atIso: new Date(observedAtMs).toISOString(),
      }),
      ...(credential === null
        ? []
        : [
            keepFromPublic(
              workspaceId,
              page.posts.map(({ platformPostId }) => ({ accountId, platformPostId })),
            ),
          ]),
    ],
  })
  // Nothing, where another delivery of this message was faster: it queues what comes next.
  const [moved] = Moved.array().parse(alongside[0])
  const next = moved?.cursor ?? null
  if (next !== null) await deps.queue.publish([await backfillMessage(platform, host, message, next)])
}
