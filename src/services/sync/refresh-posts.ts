import { keepFromPublic } from '../../db/queries/credentials.ts'
import type { PostAbsence, PostReading } from '../../db/queries/ingest/index.ts'
import { putOffRefreshes } from '../../db/queries/sync.ts'
import { recordApiUsage } from '../../db/queries/usage.ts'
import { concurrently } from '../../lib/concurrently.ts'
import { sha256Hex } from '../../lib/hash.ts'
import type { BatchScope, PlatformConnector, PlatformPost, PostRef } from '../../ports.ts'
import { PlatformError } from '../../ports.ts'
import { connectorContext, connectorOf } from '../accounts/connector-context.ts'
import type { ServiceDeps } from '../context.ts'
import { type OpenCredential, openCredentials } from '../credentials/open-credentials.ts'
import { ingest } from '../ingest/ingest.ts'
import { noteMalformed } from '../usage/note-malformed.ts'
import { UsageLedger } from '../usage/usage-ledger.ts'
import { writeUsage } from '../usage/write-usage.ts'
import { eachApart, storeApart } from './apart.ts'
import type { RefreshPostsMessage } from './messages.ts'
import { isOutdated } from './outdated.ts'
import { queueError, refreshPostsMessage } from './queue.ts'
import { toReading } from './readings.ts'
import { sharesOf } from './shares.ts'

type Account = RefreshPostsMessage['accounts'][number]

interface KnownPost extends PostRef {
  account: Account
}

/** A post that was asked for, and what the platform showed of it. */
interface Observed {
  known: KnownPost
  /** Missing where the platform left it out. */
  post: PlatformPost | undefined
  observedAtMs: number
  withCredential: boolean
}

/** Posts that are read with one and the same thing, in batches as large as the platform takes. */
interface Group {
  credential: OpenCredential | null
  scope: BatchScope
  posts: KnownPost[]
}

/** How far the reading of some posts has come. */
interface Progress {
  observed: Observed[]
  left: KnownPost[]
  /** The platform said nothing of them, twice. */
  open: KnownPost[]
  stopped: PlatformError | null
}

/**
 * The share of every allowance that is left to whatever else is called for: reading accounts, which finds new posts,
 * older posts, people who wait. Where more posts are due than an allowance bears, they would have all of it: as there
 * are the most of them, they ask most often.
 */
const LEFT_TO_OTHERS = 1 / 8
/** Groups that are read at the same time; the runtime allows six connections to an invocation. */
const CONCURRENT_GROUPS = 4
/** A delivery has to end in its time: what was not begun by then is queued again. */
const READING_MS = 15_000
/** Where a platform asks to wait and does not say for how long. */
const DEFAULT_WAIT_MS = 60_000
/** What waits no longer keeps its place in the queue, */
const SOON_MS = 120_000
/** as long as all of it together is well within the claim of its posts. */
const MOST_WAIT_MS = 600_000
/** Whatever else waits is looked for again after so long, and within this. */
const LEAST_PUT_OFF_MS = 120_000
const PUT_OFF_SPREAD_MS = 60_000
/** What a platform says nothing of while it answers for others is not asked for at every turn. */
const OPEN_PUT_OFF_MS = 3_600_000

/**
 * Reads known posts again through the platform's batch endpoint, whosoever they are, and stores them with one
 * round trip a workspace. What has a credential is read with that, and what a platform does not show together
 * is asked for apart. A post that the platform leaves out is noted as absent.
 */
export async function refreshPosts(deps: ServiceDeps, message: RefreshPostsMessage): Promise<void> {
  if (await isOutdated(deps, message.plannedAt)) return
  const connector = await connectorOf(deps, message.platform)
  const ledger = new UsageLedger(deps.clock.now)
  try {
    const credentials = await openCredentials(deps, connector, message.host, message.accounts)
    const done = await readGroups(deps, connector, groupsOf(connector, message, credentials), ledger)
    await eachApart(
      Map.groupBy(
        done.flatMap(({ observed }) => observed),
        ({ known }) => known.account.workspaceId,
      ),
      ([workspaceId, ours]) => store(deps, workspaceId, ours, ledger),
    )
    // What is stored is stored; only the rest is tried again, when the platform will have it.
    await leaveRest(
      deps,
      message,
      done.filter(({ stopped }) => stopped === null || stopped.retryable),
    )
    const broken = done.find(({ stopped }) => stopped !== null && !stopped.retryable)
    if (broken !== undefined) throw queueError(broken.stopped)
  } finally {
    await writeUsage(deps, ledger)
  }
}

function groupsOf(
  connector: PlatformConnector,
  { host, accounts }: RefreshPostsMessage,
  credentials: Map<string, OpenCredential>,
): Group[] {
  const key = (account: Account) => {
    if (connector.batchBy === 'account' || credentials.has(account.id)) return account.id
    return connector.batchBy === 'workspace' ? account.workspaceId : ''
  }
  return [...Map.groupBy(accounts, key).values()].flatMap((some) => {
    const [account] = some
    if (account === undefined) return []
    const { externalId, handle } = account
    return {
      credential: credentials.get(account.id) ?? null,
      scope: { host, account: connector.batchBy === 'account' ? { externalId, host, handle } : null },
      posts: byKind(
        connector,
        some.flatMap((one) => one.posts.map((post) => ({ ...post, account: one }))),
      ),
    }
  })
}

/** Posts of one kind stand together, so that few batches are of more than one. */
function byKind({ refreshKind }: PlatformConnector, posts: KnownPost[]): KnownPost[] {
  if (refreshKind === undefined) return posts
  return [...Map.groupBy(posts, ({ id }) => refreshKind(id)).values()].flat()
}

async function readGroups(
  deps: ServiceDeps,
  connector: PlatformConnector,
  groups: Group[],
  ledger: UsageLedger,
): Promise<Progress[]> {
  const deadlineMs = deps.clock.now() + READING_MS
  const done: Progress[] = []
  await concurrently(CONCURRENT_GROUPS, groups, async (group) => {
    const unopened = group.credential?.error
    if (unopened !== undefined) {
      // What a token is refused for stops its account at the next sync, and nobody else's posts.
      if (unopened.retryable) done.push({ observed: [], left: group.posts, open: [], stopped: unopened })
      return
    }
    const progress = await readBatches(deps, connector, group, ledger, deadlineMs)
    const isOneAccounts = group.credential !== null || group.scope.account !== null
    const isOver = progress.stopped !== null && !progress.stopped.retryable
    // The same for what its account cannot be read for any more.
    done.push(isOneAccounts && isOver ? { ...progress, left: [], stopped: null } : progress)
  })
  return done
}

async function readBatches(
  deps: ServiceDeps,
  connector: PlatformConnector,
  { credential, scope, posts }: Group,
  ledger: UsageLedger,
  deadlineMs: number,
): Promise<Progress> {
  const accessToken = credential?.accessToken
  const withCredential = accessToken !== undefined
  const observed: Observed[] = []
  const open: KnownPost[] = []
  const openBefore = new Set<string>()
  let left = posts
  while (left.length > 0) {
    const observedAtMs = deps.clock.now()
    if (observed.length > 0 && observedAtMs >= deadlineMs) break
    const batch = nextBatch(left, connector.refreshBatchSize)
    const shares = sharesOf(
      batch.map(({ account }) => account),
      () => 1,
    )
    const openNow = new Set<string>()
    const leaveOpen = (id: string) => void openNow.add(id)
    const context = connectorContext(deps, connector.platform, {
      ...{ accessToken, ledger, shares, leaveOpen },
      leaves: LEFT_TO_OTHERS,
    })
    try {
      // Two workspaces may follow the same post: it is asked for once.
      const known = [...new Map(batch.map(({ id, postedAtMs }) => [id, { id, postedAtMs }])).values()]
      const found = await connector.refreshPosts(context, scope, known)
      const byId = new Map(found.map((post) => [post.platformPostId, post]))
      for (const one of batch)
        if (!openNow.has(one.id))
          observed.push({ known: one, post: byId.get(one.id), observedAtMs, withCredential })
    } catch (error) {
      if (!(error instanceof PlatformError)) throw error
      await noteMalformed(deps, connector.platform, context, error)
      return { observed, left, open, stopped: error }
    }
    const unanswered = batch.filter(({ id }) => openNow.has(id))
    open.push(...unanswered.filter(({ id }) => openBefore.has(id)))
    // Once more, in what room the batches that follow have.
    left = [...left.slice(batch.length), ...unanswered.filter(({ id }) => !openBefore.has(id))]
    for (const id of openNow) openBefore.add(id)
  }
  return { observed, left, open, stopped: null }
}

/** The first of the posts, as many as name `size` different ones at most. */
function nextBatch(posts: KnownPost[], size: number): KnownPost[] {
  const ids = new Set<string>()
  const end = posts.findIndex(({ id }) => ids.add(id).size > size)
  return end === -1 ? posts : posts.slice(0, end)
}

/** Posts by their accounts, as a message has them. */
function byAccount(posts: KnownPost[]): Account[] {
  return [...Map.groupBy(posts, ({ account }) => account.id).values()].flatMap((ours) => {
    const [first] = ours
    if (first === undefined) return []
    return { ...first.account, posts: ours.map(({ id, postedAtMs }) => ({ id, postedAtMs })) }
  })
}

/**
 * Leaves for later what was not read. Soon, by a message of its own; otherwise the posts are put off, and the
 * next plans find them: messages that wait for long, or go round while a platform is down, would only gather.
 */
async function leaveRest(
  deps: ServiceDeps,
  message: RefreshPostsMessage,
  progress: Progress[],
): Promise<void> {
  const unread = progress.filter(({ left }) => left.length > 0)
  const { plannedAt } = message
  // Claims end: what waited for longer would be planned a second time while it waits on.
  const waitedMs = plannedAt === undefined ? 0 : deps.clock.now() - Date.parse(plannedAt)
  const isSoon = ({ stopped }: Progress) =>
    waitedMs < MOST_WAIT_MS &&
    (stopped === null || (stopped.kind === 'rate_limited' && waitOf(stopped) <= SOON_MS))
  const soon = unread.filter(isSoon)
  // One message for all that wait equally long.
  const bySeconds = Map.groupBy(soon, ({ stopped }) =>
    stopped === null ? 0 : Math.ceil(waitOf(stopped) / 1_000),
  )
  // A message that is delivered twice leaves its rest once: what is in the second's rest alone, the first has read.
  // Otherwise there would be two of it, and four of its rest's.
  const origin = (await sha256Hex(JSON.stringify(message))).slice(0, 32)
  await deps.queue.publish(
    [...bySeconds].map(([delaySeconds, some], i) => ({
      ...refreshPostsMessage({
        ...message,
        accounts: byAccount(some.flatMap(({ left }) => left)),
        plannedAt,
        round: message.round + 1,
      }),
      deduplicationId: `posts-${origin}-${i}`,
      ...(delaySeconds === 0 ? {} : { delaySeconds }),
    })),
  )
  await putOff(deps, [
    ...unread
      .filter((one) => !isSoon(one))
      .map(({ left, stopped }) => ({
        posts: left,
        waitMs: Math.max(LEAST_PUT_OFF_MS, stopped === null ? 0 : waitOf(stopped)),
      })),
    ...progress.map(({ open }) => ({ posts: open, waitMs: OPEN_PUT_OFF_MS })),
  ])
}

function waitOf({ retryAfterMs }: PlatformError): number {
  return retryAfterMs ?? DEFAULT_WAIT_MS
}

/** Posts are due again when their platform may be called, or a while later, and not all at once. */
async function putOff(deps: ServiceDeps, groups: { posts: KnownPost[]; waitMs: number }[]): Promise<void> {
  const later = groups.flatMap(({ posts, waitMs }) => {
    const until = deps.clock.now() + waitMs + Math.random() * PUT_OFF_SPREAD_MS
    const untilIso = new Date(until).toISOString()
    return posts.map(({ id, account }) => ({ account, platformPostId: id, untilIso }))
  })
  await eachApart(
    Map.groupBy(later, ({ account }) => account.workspaceId),
    async ([workspaceId, ours]) => {
      const posts = ours.map(({ account, ...post }) => ({ accountId: account.id, ...post }))
      await deps.db.inWorkspace(workspaceId, [putOffRefreshes(workspaceId, posts)])
    },
  )
}

async function store(
  deps: ServiceDeps,
  workspaceId: string,
  observed: Observed[],
  ledger: UsageLedger,
): Promise<void> {
  const accounts = [...Map.groupBy(observed, ({ known }) => known.account.id).values()]
  const refused = await storeApart(accounts, async (some) => {
    const posts: PostReading[] = []
    const absences: PostAbsence[] = []
    const notPublic: { accountId: string; platformPostId: string }[] = []
    for (const { known, post, observedAtMs, withCredential } of some.flat()) {
      const { id: platformPostId, account } = known
      if (post !== undefined) {
        posts.push(toReading(account.id, post, observedAtMs))
        if (withCredential) notPublic.push({ accountId: account.id, platformPostId })
      } else
        absences.push({
          accountId: account.id,
          platformPostId,
          observedAt: new Date(observedAtMs).toISOString(),
        })
    }
    const usage = await ledger.unwritten()
    const alongside = [
      ...(usage.length > 0 ? [recordApiUsage(usage)] : []),
      ...(notPublic.length > 0 ? [keepFromPublic(workspaceId, notPublic)] : []),
    ]
    await ingest(deps, { workspaceId, posts, absences, alongside })
    ledger.written(usage)
  })
  for (const [first] of refused)
    deps.log.warn('posts not stored', { workspaceId, accountId: first?.known.account.id })
}
