import * as z from 'zod'
import { keepFromPublic } from '../../db/queries/credentials.ts'
import {
  advanceBackfills,
  type BackfillState,
  type BackfillStep,
  selectBackfills,
} from '../../db/queries/sync.ts'
import { recordApiUsage } from '../../db/queries/usage.ts'
import { type PlatformConnector, PlatformError } from '../../ports.ts'
import { connectorContext, connectorOf } from '../accounts/connector-context.ts'
import type { ServiceDeps } from '../context.ts'
import { openCredentials } from '../credentials/open-credentials.ts'
import { ingest } from '../ingest/ingest.ts'
import { noteMalformed } from '../usage/note-malformed.ts'
import { UsageLedger } from '../usage/usage-ledger.ts'
import { writeUsage } from '../usage/write-usage.ts'
import type { BackfillMessage } from './messages.ts'
import { isOutdated } from './outdated.ts'
import { backfillMessage, queueError } from './queue.ts'
import { type ObservedPost, ONE_PAGE, readPages } from './read-pages.ts'
import { toReading } from './readings.ts'

/** What one delivery reads: it has to end in its time, and stores all of it in one transaction. */
const POSTS_PER_DELIVERY = 1_500
const POSTS_PER_ACCOUNT = 800
const READING_MS = 12_000
/** Whoever has to wait longer is left to the next sync of the account. */
const MOST_DELAY_SECONDS = 600

interface Step extends BackfillStep {
  posts: ObservedPost[]
  withCredential: boolean
}

/**
 * Reads the next pages of accounts' older posts, stores them with one round trip, and queues what is left.
 * Where each stands is moved in the same transaction as its posts are stored, so that a repeated or broken
 * delivery neither skips nor repeats any.
 */
export async function backfill(deps: ServiceDeps, message: BackfillMessage): Promise<void> {
  if (await isOutdated(deps, message.plannedAt)) return
  const { workspaceId, accountIds } = message
  const [states] = await deps.db.inWorkspace(workspaceId, [selectBackfills(workspaceId, accountIds)])
  if (states.length === 0) return
  const connector = await connectorOf(deps, message.platform)
  const ledger = new UsageLedger(deps.clock.now)
  try {
    const { steps, stopped } = await readSteps(deps, connector, message, states, ledger)
    // Nothing of those that another delivery of this message has moved on meanwhile: it queues what comes next.
    const moved = steps.length > 0 ? await store(deps, workspaceId, steps, ledger) : []
    const stepped = new Set(steps.map(({ id }) => id))
    const left = [...moved, ...states.filter(({ id }) => !stepped.has(id))]
    // A platform that asks to wait is waited for; who fails otherwise is tried again by the queue.
    const refusal = stopped.find(({ isRefusal }) => isRefusal)
    if (steps.length > 0 || refusal !== undefined) await queueRest(deps, message, left, refusal ?? null)
    else if (stopped[0] !== undefined) throw queueError(stopped[0])
  } finally {
    await writeUsage(deps, ledger)
  }
}

async function readSteps(
  deps: ServiceDeps,
  connector: PlatformConnector,
  { workspaceId, platform, host }: BackfillMessage,
  states: BackfillState[],
  ledger: UsageLedger,
): Promise<{ steps: Step[]; stopped: PlatformError[] }> {
  const owners = states.map(({ id }) => ({ id, workspaceId }))
  const credentials = await openCredentials(deps, connector, host, owners)
  const deadlineMs = deps.clock.now() + READING_MS
  const steps: Step[] = []
  const stopped: PlatformError[] = []
  let room = POSTS_PER_DELIVERY
  for (const state of states) {
    if (room <= 0 || deps.clock.now() >= deadlineMs || stopped.some(({ isRefusal }) => isRefusal)) break
    const credential = credentials.get(state.id)
    if (credential?.error !== undefined) {
      stopped.push(credential.error)
      continue
    }
    const shares = [{ workspaceId, items: 1 }]
    const accessToken = credential?.accessToken
    const context = connectorContext(deps, platform, { accessToken, ledger, shares })
    const bounds = state.closesHole ? ONE_PAGE : { posts: Math.min(room, POSTS_PER_ACCOUNT), deadlineMs }
    const read = (cursor: string | null) =>
      readPages(connector, context, state, { cursor }, bounds, deps.clock.now)
    try {
      const pages = await read(state.cursor).catch((error: unknown) => {
        // A cursor that the platform has forgotten: from the beginning, where what is known costs little.
        if (error instanceof PlatformError && error.kind === 'bad_request') return read(null)
        throw error
      })
      room -= pages.posts.length
      if (pages.stopped !== null) stopped.push(pages.stopped)
      steps.push({
        id: state.id,
        from: state.cursor,
        to: pages.nextCursor,
        ids: pages.posts.map(({ post }) => post.platformPostId),
        posts: pages.posts,
        withCredential: accessToken !== undefined,
      })
    } catch (error) {
      if (!(error instanceof PlatformError)) throw error
      await noteMalformed(deps, platform, context, error)
      stopped.push(error)
    }
  }
  return { steps, stopped }
}

async function store(
  deps: ServiceDeps,
  workspaceId: string,
  steps: Step[],
  ledger: UsageLedger,
): Promise<Standing[]> {
  const usage = await ledger.unwritten()
  const notPublic = steps
    .filter(({ withCredential }) => withCredential)
    .flatMap(({ id, ids }) => ids.map((platformPostId) => ({ accountId: id, platformPostId })))
  const { alongside } = await ingest(deps, {
    workspaceId,
    posts: steps.flatMap(({ id, posts }) =>
      posts.map(({ post, observedAtMs }) => toReading(id, post, observedAtMs)),
    ),
    alongside: [
      advanceBackfills(workspaceId, steps, new Date(deps.clock.now()).toISOString()),
      ...(usage.length > 0 ? [recordApiUsage(usage)] : []),
      ...(notPublic.length > 0 ? [keepFromPublic(workspaceId, notPublic)] : []),
    ],
  })
  ledger.written(usage)
  return Standing.array().parse(alongside[0])
}

/** Where an account's backfill stands; `null`: it is done. */
const Standing = z.object({ id: z.string(), cursor: z.string().nullable() })
type Standing = z.infer<typeof Standing>

/** One message for all that are not done. */
async function queueRest(
  deps: ServiceDeps,
  message: BackfillMessage,
  standing: Standing[],
  refusal: PlatformError | null,
): Promise<void> {
  const left = standing.flatMap(({ id, cursor }) => (cursor === null ? [] : { id, cursor }))
  if (left.length === 0) return
  const plannedAt = new Date(deps.clock.now()).toISOString()
  const body = { ...message, accountIds: left.map(({ id }) => id), plannedAt }
  const cursors = left.map(({ cursor }) => cursor)
  const delaySeconds = refusal === null ? undefined : Math.ceil((refusal.retryAfterMs ?? 60_000) / 1_000)
  // The next sync of its account takes it up again; one that waited here as well would be a second.
  if (delaySeconds !== undefined && delaySeconds > MOST_DELAY_SECONDS) return
  await deps.queue.publish([await backfillMessage(body, cursors, delaySeconds)])
}
