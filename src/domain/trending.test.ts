import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { normaliseTag } from './hashtags.ts'
import {
  BLOCKED_TAGS,
  decayOf,
  expectedOf,
  isNews,
  MAX_TRENDING_LIMIT,
  orderTrends,
  readSpans,
  SEPARATE_PLATFORMS,
  slicesOf,
  surgeOf,
  type TagCounts,
  type TagTrend,
  TRENDING_SORTS,
  TRENDING_WINDOWS,
  type TrendingScope,
  type TrendingWindow,
  trendOf,
  WINDOW_RULES,
  worthKeeping,
} from './trending.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const NOW = Date.parse('2026-04-02T15:23:17.456Z')

function counts(given: Partial<TagCounts> = {}): TagCounts {
  return {
    tag: 'tide',
    display: 'Tide',
    uses: 0,
    accounts: 0,
    engagements: null,
    sparkline: [],
    cells: [],
    changes: [],
    ...given,
  }
}

function trend(given: Partial<TagTrend> = {}): TagTrend {
  return {
    tag: 'tide',
    display: 'Tide',
    score: 0,
    observed: 0,
    expected: 1,
    uses: 0,
    accounts: 0,
    engagements: null,
    peakAt: '2026-04-02T15:00:00.000Z',
    sparkline: [],
    ...given,
  }
}

/** Numbers the cell of a moment by walking back over both combs, as the definition says. */
function cellOf(atMs: number, window: TrendingWindow, nowMs: number): number {
  const { stepMs } = WINDOW_RULES[window]
  const multiple = Math.floor(nowMs / stepMs) * stepMs
  for (let cell = 0; ; cell++) {
    const k = Math.floor(cell / 2)
    const starts = cell % 2 === 0 ? multiple - k * stepMs : nowMs - (k + 1) * stepMs
    if (atMs > starts) return cell
  }
}

/** What is counted of a tag used at these moments, once each, when posts are the measure: of what is read. */
function countsOf(moments: number[], window: TrendingWindow, nowMs = NOW): TagCounts {
  const perWindow = 2 * slicesOf(WINDOW_RULES[window])
  const spans = readSpans(WINDOW_RULES[window], nowMs)
  const entering = moments
    .filter((at) => spans.some((span) => at > span.afterMs && at <= span.untilMs))
    .map((at) => cellOf(at, window, nowMs))
  const leaving = entering.filter((cell) => cell >= perWindow).map((cell) => cell - perWindow)
  return counts({
    cells: [...entering, ...leaving],
    changes: [...entering.map(() => 1), ...leaving.map(() => -1)],
  })
}

const score = (moments: number[], window: TrendingWindow, scope: TrendingScope = 'workspace', nowMs = NOW) =>
  trendOf(countsOf(moments, window, nowMs), window, scope, nowMs)

const times = (n: number, atMs: number) => Array.from({ length: n }, () => atMs)

describe('the parts of a score', () => {
  it('count nothing below the minimum, and nothing that was expected', () => {
    expect(surgeOf(2, 1, 3)).toBe(0)
    expect(surgeOf(3, 1, 3)).toBe(4)
    expect(surgeOf(4, 4, 3)).toBe(0)
    expect(surgeOf(5, 6, 3)).toBe(0)
    expect(surgeOf(12, 3.2, 3)).toBeCloseTo(24.2, 10)
  })

  it('expect at least one use', () => {
    expect(expectedOf([0, 0, 0, 0])).toBe(1)
    expect(expectedOf([1, 0, 0, 2])).toBe(1)
    expect(expectedOf([4, 0, 2, 0])).toBe(1.5)
  })

  it('halve with every half-life', () => {
    expect(decayOf(0, HOUR)).toBe(1)
    expect(decayOf(HOUR, HOUR)).toBe(0.5)
    expect(decayOf(3 * HOUR, HOUR)).toBe(0.125)
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 7 * DAY }), fc.integer({ min: 1, max: DAY }), (age, more) => {
        expect(decayOf(age + more, 4 * HOUR)).toBeLessThan(decayOf(age, 4 * HOUR))
      }),
    )
  })
})

describe('scoring a tag', () => {
  it('puts a rise of this minute at now, without waiting for the grid', () => {
    expect(score(times(5, NOW - 1_000), '24h')).toMatchObject({
      score: 16,
      observed: 5,
      expected: 1,
      peakAt: '2026-04-02T15:23:17.456Z',
    })
  })

  it('keeps a past peak at its moment on the grid and lets only its score fade', () => {
    const burst = times(6, Date.parse('2026-04-02T14:25:30.000Z'))
    const at = (nowMs: number) => score(burst, '1h', 'workspace', nowMs)
    // The last multiple of 5 minutes at which the hour before still holds the burst is 15:25.
    const first = at(Date.parse('2026-04-02T15:26:00.000Z'))
    const later = at(Date.parse('2026-04-02T15:56:00.000Z'))
    expect(first).toMatchObject({ observed: 6, expected: 1, peakAt: '2026-04-02T15:25:00.000Z' })
    expect(later).toMatchObject({ observed: 6, expected: 1, peakAt: '2026-04-02T15:25:00.000Z' })
    expect(first.score).toBeCloseTo(25 * 0.5 ** (1 / 30), 10)
    expect(later.score).toBeCloseTo(first.score / 2, 10)
    expect(at(Date.parse('2026-04-02T16:30:00.000Z')).score).toBe(0)
  })

  it.each([
    ['1h', DAY, 7],
    ['24h', DAY, 7],
    ['7d', 7 * DAY, 4],
  ] as const)('compares %s with the windows before it', (window, every, howMany) => {
    const baseline = Array.from({ length: howMany }, (_, j) => times(4, NOW - 1_000 - (j + 1) * every)).flat()
    expect(score([...times(10, NOW - 1_000), ...baseline], window)).toMatchObject({
      score: 9,
      observed: 10,
      expected: 4,
    })
    // One window earlier than the baseline reaches: no part of it.
    const beyond = times(4, NOW - 1_000 - (howMany + 1) * every)
    expect(score([...times(10, NOW - 1_000), ...baseline.slice(4), ...beyond], window).expected).toBe(
      (4 * (howMany - 1)) / howMany,
    )
    expect(score([...times(4, NOW - 1_000), ...baseline, ...beyond], window)).toMatchObject({
      score: 0,
      observed: 4,
      expected: 4,
      peakAt: '2026-04-02T15:23:17.456Z',
    })
  })

  it('asks for more in public than in a workspace', () => {
    const moments = times(4, NOW - 1_000)
    expect(score(moments, '24h', 'workspace').score).toBe(9)
    expect(score(moments, '24h', 'public').score).toBe(0)
    expect(score(times(5, NOW - 1_000), '24h', 'public').score).toBe(16)
  })

  it.each(TRENDING_WINDOWS)('agrees with counting posts one by one in every window of %s', (window) => {
    const rule = WINDOW_RULES[window]
    const reach = (rule.baselineWindows + 2) * rule.baselineEveryMs
    const near = fc.integer({ min: 0, max: 2 * rule.lengthMs })
    // Moments on and beside the borders of the grid, in the window and in its baselines.
    const offset = fc.oneof(
      near,
      fc.integer({ min: 0, max: reach }),
      fc.tuple(near, fc.nat(rule.baselineWindows)).map(([age, j]) => age + j * rule.baselineEveryMs),
      fc.tuple(fc.nat(60), fc.integer({ min: -1, max: 1 })).map(([k, d]) => Math.max(0, k * rule.stepMs + d)),
    )
    const nows = fc.oneof(
      fc.constant(NOW),
      fc.constant(NOW - (NOW % rule.stepMs)),
      fc.nat(DAY).map((d) => NOW + d),
    )
    fc.assert(
      fc.property(fc.array(offset, { maxLength: 60 }), nows, (offsets, nowMs) => {
        const moments = offsets.map((age) => nowMs - age)
        const within = (untilMs: number) =>
          moments.filter((at) => at > untilMs - rule.lengthMs && at <= untilMs).length
        const evaluated = [nowMs]
        for (
          let t = Math.floor(nowMs / rule.stepMs) * rule.stepMs;
          t > nowMs - rule.lengthMs;
          t -= rule.stepMs
        )
          evaluated.push(t)
        let best = 0
        for (const t of evaluated) {
          let before = 0
          for (let j = 1; j <= rule.baselineWindows; j++) before += within(t - j * rule.baselineEveryMs)
          const expected = Math.max(1, before / rule.baselineWindows)
          const observed = within(t)
          if (observed >= 3 && observed > expected)
            best = Math.max(
              best,
              ((observed - expected) ** 2 / expected) * 2 ** ((t - nowMs) / rule.halfLifeMs),
            )
        }
        const found = score(moments, window, 'workspace', nowMs)
        expect(found.score).toBeCloseTo(best, 9)
        expect(found.observed).toBe(within(Date.parse(found.peakAt)))
      }),
      { numRuns: 150 },
    )
  })
})

describe('what has to be read', () => {
  it('is one span where baselines follow one another, and eight for the hour', () => {
    expect(readSpans(WINDOW_RULES['24h'], NOW)).toEqual([{ afterMs: NOW - 9 * DAY, untilMs: NOW }])
    expect(readSpans(WINDOW_RULES['7d'], NOW)).toEqual([{ afterMs: NOW - 42 * DAY, untilMs: NOW }])
    const hours = readSpans(WINDOW_RULES['1h'], NOW)
    expect(hours).toHaveLength(8)
    expect(hours[7]).toEqual({ afterMs: NOW - 7 * DAY - 2 * HOUR, untilMs: NOW - 7 * DAY })
  })
})

describe('the order of tags', () => {
  const tags = [
    trend({ tag: 'quiet', uses: 90, engagements: 5 }),
    trend({ tag: 'b', score: 2, uses: 5, engagements: null }),
    trend({ tag: 'a', score: 2, uses: 5, engagements: 0 }),
    trend({ tag: 'more', score: 2, uses: 6, engagements: null }),
    trend({ tag: 'top', score: 7, uses: 3, engagements: 40 }),
    trend({ tag: 'quieter', uses: 4, engagements: 5 }),
  ]
  it.each([
    ['surge', ['top', 'more', 'a', 'b', 'quiet', 'quieter']],
    ['volume', ['quiet', 'more', 'a', 'b', 'quieter', 'top']],
    ['engagement', ['top', 'quiet', 'quieter', 'a', 'more', 'b']],
  ] as const)('by %s', (sort, expected) => {
    expect(orderTrends(tags, sort).map(({ tag }) => tag)).toEqual(expected)
    expect(orderTrends(tags.toReversed(), sort).map(({ tag }) => tag)).toEqual(expected)
  })

  it('leaves blocked tags out, which are written as tags are compared', () => {
    expect(orderTrends([trend({ tag: 'nsfw', score: 99 }), trend()], 'surge').map(({ tag }) => tag)).toEqual([
      'tide',
    ])
    for (const tag of BLOCKED_TAGS) expect(normaliseTag(tag)).toBe(tag)
  })

  it('keeps whatever any list may show, and no more', () => {
    const many = fc.array(
      fc.record({ score: fc.nat(3), uses: fc.nat(5), engagements: fc.option(fc.nat(5)) }),
      { minLength: 350, maxLength: 500 },
    )
    fc.assert(
      fc.property(many, (given) => {
        const all = given.map((part, i) => trend({ tag: `t${i}`, ...part }))
        const kept = worthKeeping(all)
        expect(kept.length).toBeLessThanOrEqual(3 * MAX_TRENDING_LIMIT)
        for (const sort of TRENDING_SORTS)
          expect(orderTrends(kept, sort).slice(0, MAX_TRENDING_LIMIT)).toEqual(
            orderTrends(all, sort).slice(0, MAX_TRENDING_LIMIT),
          )
      }),
      { numRuns: 20 },
    )
  })
})

describe('news', () => {
  const before = [trend({ score: 4, uses: 5 }), trend({ tag: 'ebb', display: 'ebb', uses: 2 })]
  it('is no mere growing old', () => {
    const older = before.map((t) => ({
      ...t,
      score: t.score / 2,
      peakAt: '2026-04-02T15:05:00.000Z',
      sparkline: [1],
    }))
    expect(isNews(before, older)).toBe(false)
  })
  it('is another order, a tag more or a tag less', () => {
    expect(isNews(before, before.toReversed())).toBe(true)
    expect(isNews(before, [...before, trend({ tag: 'new' })])).toBe(true)
    expect(isNews(before, before.slice(1))).toBe(true)
  })
  it.each(['display', 'observed', 'expected', 'uses', 'accounts', 'engagements'])('is another %s', (name) => {
    const changed = { [name]: name === 'display' ? 'TIDE' : 77 }
    expect(isNews(before, [{ ...trend({ score: 4, uses: 5 }), ...changed }, ...before.slice(1)])).toBe(true)
  })
})

it('knows the platforms that stand aside', () => {
  expect(SEPARATE_PLATFORMS).toEqual(['youtube'])
})
