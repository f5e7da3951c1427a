import { createRandom } from '../../scripts/local/platforms/random.ts'
import { findRedisServer } from '../../scripts/local/redis.ts'
import { startStack, type TestStack } from '../harness/stack.ts'
import { calm, type Parts } from './calm.ts'
import { CAST, GRANTED_LIMITS, HISTORY_DAYS, PLATFORM_LIMITS, X_DAILY_BUDGET_USD } from './cast.ts'
import { checkAccounts } from './check-accounts.ts'
import { checkAnswers } from './check-answers.ts'
import { checkDelivery } from './check-delivery.ts'
import { checkSums } from './check-sums.ts'
import { disturb } from './faults.ts'
import { GateMemory } from './gate-memory.ts'
import { kill } from './kills.ts'
import { live } from './life.ts'
import { Listener } from './listener.ts'
import { mishaps } from './mishaps.ts'
import { Owner } from './owner.ts'
import { nowAndThen, patiently } from './patience.ts'
import { QueueJournal } from './queue-journal.ts'
import { describe, emptyToll, type Toll } from './toll.ts'
import { checkToll, type Verdict, verdictOf } from './verdict.ts'

export interface ChaosOptions {
  minutes: number
  seed: string
  log: (line: string) => void
  /** Takes what the stack says of itself, warnings of the Worker among it. */
  trace: (line: string) => void
  signal: AbortSignal
}

const DAY_MS = 86_400_000
const MINUTE_MS = 60_000
const SYNC_INTERVAL_SECONDS = 5
const DUE_EVERY_MS = 5_000
/** The share of accounts and posts that is due again each time, whatever their rest. */
const DUE_ACCOUNTS = 0.2
const DUE_POSTS = 0.08
/** High enough for one person and a page that connects again and again; there all the same. */
const RATE_LIMITS = 'reads=6000/60,writes=1200/60,sign-in=20/60'
/** A platform whose refresh tokens are good for one use: one that is lost on the way is lost for good. */
const LOSING_TOKENS: ReadonlySet<string> = new Set(['tiktok'])

/**
 * Lets everything go wrong for a while in the whole stack as it is deployed locally, then lets it be quiet, and
 * compares everything that is stored with what the platforms know.
 * @throws when it cannot be begun, a part of the stack fails for good, or the signal says so; all is stopped by then
 */
export async function chaos(options: ChaosOptions): Promise<Verdict> {
  const { log, trace } = options
  if (findRedisServer() === undefined)
    throw new Error('There is no redis-server or valkey-server in the PATH, which could be killed')
  const failing = new AbortController()
  const signal = AbortSignal.any([options.signal, failing.signal])
  let heldMs: number | null = null
  const hold = () => {
    heldMs = Date.now()
    return heldMs
  }
  await using resources = new AsyncDisposableStack()
  const stack = await startStack({
    syncIntervalSeconds: SYNC_INTERVAL_SECONDS,
    env: { RATE_LIMITS, PLATFORM_LIMITS, X_DAILY_BUDGET_USD },
    world: {
      accounts: CAST,
      epoch: Math.floor(Date.now() / DAY_MS - HISTORY_DAYS) * DAY_MS,
      limits: GRANTED_LIMITS,
      shownMs: () => heldMs ?? Date.now(),
    },
    log: trace,
    signal,
    onFailure: (error) => failing.abort(error),
  })
  resources.defer(() => stack.stop())
  const owner = new Owner(stack)
  await owner.signIn()
  const listener = new Listener(owner)
  resources.defer(() => listener.stop())
  listener.start()
  const journal = new QueueJournal(stack)
  const memory = new GateMemory(stack)
  const parts: Parts = { stack, owner, journal, listener, memory, log, signal }
  const toll = emptyToll()

  log(`connecting ${CAST.length} accounts`)
  for (const person of stack.platforms.world.accounts()) await owner.connect(person, stack.platforms)
  log(`chaos for ${options.minutes} minutes, of the seed ${options.seed}`)
  await rage(parts, toll, { ...options, signal })
  signal.throwIfAborted()
  log('calm')
  const atMs = hold()
  const { signedInAgain, complaints } = await calm(parts)
  const unexpected = signedInAgain.filter((platform) => !LOSING_TOKENS.has(platform))
  log('comparing')
  const checks = [
    ...(await checkAccounts(stack, atMs)),
    ...(await checkSums(stack)),
    await checkAnswers(stack),
    ...(await checkDelivery(parts)),
    checkToll(toll, options.minutes),
  ]
  return verdictOf(checks, [
    ...complaints,
    ...unexpected.map((name) => `${name} had to be signed in to again`),
  ])
}

/** Everything at once, for some minutes; all parts run again when it resolves. */
async function rage(parts: Parts, toll: Toll, { minutes, seed, log, signal }: ChaosOptions): Promise<void> {
  const { stack, journal, listener, memory } = parts
  const { world } = stack.platforms
  const randomFor = (what: string) => createRandom('chaos', seed, what)
  const ending = AbortSignal.any([signal, AbortSignal.timeout(minutes * MINUTE_MS)])
  const tell = () => {
    const { failed, dead } = journal
    const { events, connections } = listener
    log(describe(toll, { delivered: journal.endings.size - dead, dead, failed, events, connections }))
  }
  stack.qstash.disturb(mishaps(randomFor('queue'), toll))
  await Promise.all([
    kill(stack, randomFor('kills'), toll, ending),
    live(world, randomFor('people'), toll, ending),
    disturb(world, memory, { random: randomFor('faults'), toll, signal: ending }),
    journal.follow(ending),
    nowAndThen(
      ending,
      () => DUE_EVERY_MS,
      () => makeSomeDue(stack),
    ),
    nowAndThen(
      ending,
      () => MINUTE_MS,
      async () => tell(),
    ),
  ])
  stack.qstash.disturb(null)
  await patiently(() => stack.ownerSql('SELECT 1'), signal)
  tell()
}

/** Nobody waits for a quarter of an hour here; while Postgres is down, nothing is due. */
async function makeSomeDue(stack: TestStack): Promise<void> {
  try {
    await stack.ownerSql(
      `UPDATE accounts SET next_sync_at = now(), not_before = NULL WHERE status = 'active' AND random() < $1`,
      [DUE_ACCOUNTS],
    )
    await stack.ownerSql(
      `UPDATE posts SET next_refresh_at = now()
       WHERE kind <> 'repost' AND deleted_at IS NULL AND random() < $1`,
      [DUE_POSTS],
    )
  } catch {
    // The next time it is there.
  }
}
