import { createRandom, type Random } from '../../../scripts/local/platforms/random.ts'

/** Somebody's page asks a question. */
export interface AskEvent {
  type: 'ask'
  /** Since midnight. */
  atMs: number
  person: number
  question: string
  /** Opening the page or asking something else, a page that asks by itself, or one that was told of a change. */
  because: 'opened' | 'polled' | 'told'
}

/** The sync has stored something that shows. */
export interface ChangeEvent {
  type: 'change'
  atMs: number
}

export type DayEvent = AskEvent | ChangeEvent

const PEOPLE = 50
const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
/** How often somebody looks: in the morning, after lunch, and whenever between eight and six. */
const VISITS = { least: 3, most: 6 }
const PEAKS = [
  { atMs: 9 * HOUR_MS, spreadMs: 15 * MINUTE_MS, share: 0.45 },
  { atMs: 13.25 * HOUR_MS, spreadMs: 15 * MINUTE_MS, share: 0.3 },
]
const OFFICE = { fromMs: 8 * HOUR_MS, toMs: 18 * HOUR_MS }
/** Most visits are short, some pages stay open. */
const VISIT = { medianMs: 8 * MINUTE_MS, sigma: 0.8, mostMs: 90 * MINUTE_MS }
/** How long a page shows the same question. */
const LOOK_MS = 75_000
/** What everybody sees first, and comes back to; beside it each has a handful of their own. */
const FIRST_QUESTION = 'overview'
const TRENDING = 'trending'
const HABITS = 5
const QUESTIONS = 40
/** Of the looks after the first one, those at the first question. */
const BACK_SHARE = 0.5
/** Pages without a live connection ask by themselves. */
const OFFLINE_SHARE = 0.1
const POLL_MS = 30_000
/** Pages ask again within as long, when they are told of a change. */
const MOST_DELAY_MS = 1_000
const CHANGES_A_MINUTE = 1
const TRENDING_MS = 5 * MINUTE_MS

interface Look {
  fromMs: number
  toMs: number
  question: string
}

interface Visit {
  person: number
  isLive: boolean
  looks: Look[]
}

/** A working day of a team of 50, the same in every run: what their pages ask, and when the sync changes something, in order. */
export function traceDay(seed: string): DayEvent[] {
  const visits = Array.from({ length: PEOPLE }, (_, person) => visitsOf(seed, person)).flat()
  const changes = changesOf(seed)
  const events: DayEvent[] = changes.map((atMs) => ({ type: 'change', atMs }))
  for (const [i, visit] of visits.entries())
    events.push(...asksOf(visit, changes, createRandom(seed, 'asks', i)))
  return events.sort((a, b) => a.atMs - b.atMs)
}

function visitsOf(seed: string, person: number): Visit[] {
  const random = createRandom(seed, 'person', person)
  const habits = Array.from({ length: HABITS }, () => `overview ${popular(random)}`)
  return Array.from({ length: random.int(VISITS.least, VISITS.most) }, () => {
    const fromMs = arrival(random)
    const toMs = fromMs + Math.min(VISIT.mostMs, random.logNormal(VISIT.medianMs, VISIT.sigma))
    return { person, isLive: !random.chance(OFFLINE_SHARE), looks: looksOf(random, fromMs, toMs, habits) }
  })
}

function arrival(random: Random): number {
  const roll = random.next()
  let share = 0
  for (const peak of PEAKS) {
    share += peak.share
    if (roll < share) return peak.atMs + random.normal() * peak.spreadMs
  }
  return OFFICE.fromMs + random.next() * (OFFICE.toMs - OFFICE.fromMs)
}

/** Some questions are everybody's, most are few people's. */
function popular(random: Random): number {
  return Math.floor(QUESTIONS * random.next() ** 2)
}

function looksOf(random: Random, fromMs: number, toMs: number, habits: readonly string[]): Look[] {
  const looks: Look[] = []
  for (let atMs = fromMs; atMs < toMs; ) {
    const endMs = Math.min(toMs, atMs + random.logNormal(LOOK_MS, 1))
    const question = looks.length === 0 || random.chance(BACK_SHARE) ? FIRST_QUESTION : random.pick(habits)
    looks.push({ fromMs: atMs, toMs: endMs, question })
    atMs = endMs
  }
  return looks
}

/** While somebody looks, their workspace's newest posts are read at every plan. */
function changesOf(seed: string): number[] {
  const random = createRandom(seed, 'changes')
  const minutes = (24 * HOUR_MS) / MINUTE_MS
  return Array.from({ length: minutes }, (_, minute) =>
    Array.from({ length: random.poisson(CHANGES_A_MINUTE) }, () => (minute + random.next()) * MINUTE_MS),
  )
    .flat()
    .sort((a, b) => a - b)
}

function asksOf(visit: Visit, changes: readonly number[], random: Random): AskEvent[] {
  const { person } = visit
  const ask = (atMs: number, question: string, because: AskEvent['because']): AskEvent => ({
    type: 'ask',
    ...{ atMs, person, question, because },
  })
  return visit.looks.flatMap(({ fromMs, toMs, question }, i) => {
    const asks = [ask(fromMs, question, 'opened')]
    if (i === 0) asks.push(ask(fromMs, TRENDING, 'opened'))
    if (!visit.isLive) {
      for (let atMs = fromMs + POLL_MS; atMs < toMs; atMs += POLL_MS) asks.push(ask(atMs, question, 'polled'))
      return asks
    }
    let askedMs = fromMs
    for (const changedMs of changes) {
      if (changedMs < askedMs || changedMs >= toMs) continue
      askedMs = changedMs + random.next() * MOST_DELAY_MS
      asks.push(ask(askedMs, question, 'told'))
    }
    for (let atMs = Math.ceil(fromMs / TRENDING_MS) * TRENDING_MS; atMs < toMs; atMs += TRENDING_MS)
      asks.push(ask(atMs + random.next() * MOST_DELAY_MS, TRENDING, 'told'))
    return asks
  })
}
