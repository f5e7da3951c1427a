import { PLATFORM_FACTS, PLATFORMS } from '../../../src/domain/platforms.ts'
import { ratio } from '../../lib/statistics.ts'
import type { Comparison } from '../../lib/sync/truth.ts'
import type { Cell, Table } from '../../lib/table.ts'
import { inAll, type Phase } from './phases.ts'

/** A full refresh of a thousand accounts is to take no longer, waiting included. */
const MOST_REFRESH_SECONDS = 300
const LEAST_FILLED = 0.8
const MOST_TRIPS_PER_HUNDRED = 1

/** A phase of the engine, and what was stored in the end. */
export interface CheckedPhase extends Phase {
  truth: Comparison
}

export function phasesTable(accounts: number, phases: readonly CheckedPhase[], baseline: Cell[][]): Table {
  return {
    title: `Sync: ${accounts.toLocaleString('en-US')} accounts on ten platforms`,
    columns: [
      { name: 'case' },
      { name: 'posts', digits: 0 },
      { name: 'worked', unit: 's', digits: 1 },
      { name: 'waited', unit: 's', digits: 0 },
      { name: 'in all', unit: 's', digits: 0 },
      { name: 'calls', digits: 0 },
      { name: 'posts/call', digits: 1 },
      { name: 'trips/100 posts', digits: 2 },
      { name: 'retried', digits: 0 },
      { name: 'violations', digits: 0 },
      { name: 'missing', digits: 0 },
      { name: 'wrong', digits: 0 },
      { name: 'sums off by', digits: 0 },
    ],
    rows: [...phases.map(phaseRow), ...baseline],
  }
}

function phaseRow(phase: CheckedPhase): Cell[] {
  const { truth } = phase
  return [...costsOf(phase), truth.missing, truth.wrong + truth.invented, truth.sumsOff]
}

/** The baseline's row, and one as if it had gone on like that to the end of all posts. */
export function baselineRows(sample: Phase, allPosts: number): Cell[][] {
  const times = allPosts / sample.posts
  const grown = (value: number) => value * times
  const all: Phase = {
    ...sample,
    label: 'baseline, reckoned up to all posts',
    posts: allPosts,
    seconds: grown(sample.seconds),
    waitedSeconds: grown(sample.waitedSeconds),
    roundTrips: grown(sample.roundTrips),
  }
  const [label, posts, worked, waited, inTotal] = costsOf(all)
  const unknown = (count: number): null[] => Array.from({ length: count }, () => null)
  return [
    [...costsOf(sample), ...unknown(3)],
    [label ?? null, posts ?? null, worked ?? null, waited ?? null, inTotal ?? null, ...unknown(8)],
  ]
}

function costsOf(phase: Phase): Cell[] {
  const calls = inAll(phase, (one) => one.calls)
  return [
    phase.label,
    phase.posts,
    phase.seconds,
    phase.waitedSeconds,
    phase.seconds + phase.waitedSeconds,
    calls,
    ratio(phase.posts, calls),
    ratio(100 * phase.roundTrips, phase.posts),
    phase.retried,
    inAll(phase, (one) => one.violations),
  ]
}

export function platformsTable(phase: Phase): Table {
  return {
    title: `By platform: ${phase.label}`,
    columns: [
      { name: 'platform' },
      { name: 'posts', digits: 0 },
      { name: 'calls', digits: 0 },
      { name: 'posts/call', digits: 1 },
      { name: 'batch', digits: 0 },
      { name: 'filled', unit: '%', digits: 0 },
      { name: 'of limit', unit: '%', digits: 0 },
      { name: 'violations', digits: 0 },
    ],
    rows: PLATFORMS.map((platform) => {
      const { posts, calls, filled, peakShare, violations } = phase.platforms[platform]
      const { label, batch } = PLATFORM_FACTS[platform]
      const percent = filled === null ? null : 100 * filled
      return [label, posts, calls, ratio(posts, calls), batch.posts, percent, 100 * peakShare, violations]
    }),
  }
}

/** What is asked of the engine, and whether it was met. */
export function targetsTable(
  first: CheckedPhase,
  refresh: CheckedPhase,
  phases: readonly CheckedPhase[],
): Table {
  const filled = Object.values(refresh.platforms).flatMap((one) => one.filled ?? [])
  const least = Math.min(...filled)
  const inSeconds = (name: string, phase: CheckedPhase) => {
    const seconds = phase.seconds + phase.waitedSeconds
    return row(name, `< ${MOST_REFRESH_SECONDS}`, seconds, seconds < MOST_REFRESH_SECONDS)
  }
  const trips = ratio(100 * refresh.roundTrips, refresh.posts) ?? Number.POSITIVE_INFINITY
  const total = (of: (phase: CheckedPhase) => number) => phases.reduce((sum, phase) => sum + of(phase), 0)
  const violations = total((phase) => inAll(phase, (one) => one.violations))
  const untrue = total(({ truth }) => truth.missing + truth.invented + truth.wrong + truth.sumsOff)
  const row = (name: string, wanted: string, measured: number, isMet: boolean): Cell[] => [
    name,
    wanted,
    measured,
    isMet ? 'yes' : 'no',
  ]
  return {
    title: 'Targets',
    columns: [{ name: 'target' }, { name: 'wanted' }, { name: 'measured', digits: 1 }, { name: 'met' }],
    rows: [
      inSeconds('the first sync, waiting included (s)', first),
      inSeconds('reading every post again, waiting included (s)', refresh),
      row(
        'batches filled, on the platform where they are least (%)',
        `≥ ${100 * LEAST_FILLED}`,
        100 * least,
        least >= LEAST_FILLED,
      ),
      row(
        'round trips to the database for 100 posts',
        `≤ ${MOST_TRIPS_PER_HUNDRED}`,
        trips,
        trips <= MOST_TRIPS_PER_HUNDRED,
      ),
      row('violations, in all phases', '0', violations, violations === 0),
      row('posts missing or wrong, sums off, in all phases', '0', untrue, untrue === 0),
    ],
  }
}
