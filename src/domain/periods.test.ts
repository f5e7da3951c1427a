import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  comparisonOf,
  daysBetween,
  daysOf,
  hoursOf,
  isDay,
  isTimezone,
  namedPeriod,
  PERIOD_NAMES,
  periodOf,
  QUARTER_MS,
  today,
} from './periods.ts'

const at = (text: string) => Date.parse(text)
const MINUTE_MS = 60_000
const DAY_MS = 86_400_000

describe('isTimezone', () => {
  it.each([
    'UTC',
    'GMT',
    'Europe/Berlin',
    'America/Argentina/Buenos_Aires',
    'America/Port-au-Prince',
    'Etc/GMT+5',
    'EST5EDT',
    'Asia/Calcutta',
    'NZ',
    'europe/berlin',
  ])('takes %s', (name) => {
    expect(isTimezone(name)).toBe(true)
  })

  it.each([
    ['', 'nothing'],
    ['Mars/Olympus', 'a place without people'],
    ['+02:00', 'an offset'],
    ['UTC+2', 'an offset'],
    ['-05', 'an offset'],
    [' UTC', 'space'],
    ['UTC ', 'space'],
    ['Europe/Berlin\n', 'a line break'],
    ["Europe/Berlin'; --", 'SQL'],
    ['Etc/Unknown', 'the unknown place'],
    ['CET', 'an abbreviation that Postgres reads without summer time'],
    ['eet', 'an abbreviation that Postgres reads without summer time'],
    ['IST', 'an abbreviation of three countries'],
    ['PST', 'an abbreviation that Postgres reads without summer time'],
    ['AET', 'an abbreviation that Postgres does not know'],
    ['SystemV/EST5EDT', 'a name that Postgres does not know'],
  ])('refuses %j: %s', (name) => {
    expect(isTimezone(name)).toBe(false)
  })
})

describe('isDay', () => {
  it.each(['2026-11-22', '2028-02-29', '2000-02-29', '0001-01-01', '9999-12-31'])('takes %s', (text) => {
    expect(isDay(text)).toBe(true)
  })

  it.each([
    '',
    '2026-02-29',
    '1900-02-29',
    '2026-04-31',
    '2026-13-01',
    '2026-00-10',
    '2026-01-00',
    '2026-1-1',
    '20260101',
    '2026-01-01T00:00:00Z',
    ' 2026-01-01',
    '2026-01-01\n',
    '+002026-01-01',
    '-2026-01-01',
    '２０２６-01-01',
  ])('refuses %j', (text) => {
    expect(isDay(text)).toBe(false)
  })
})

describe('a period of whole days', () => {
  it('begins and ends at midnight of its timezone', () => {
    expect(periodOf('2026-11-01', '2026-11-02', 'Asia/Kathmandu')).toEqual({
      from: '2026-11-01',
      to: '2026-11-02',
      timezone: 'Asia/Kathmandu',
      start: '2026-10-31T18:15:00.000Z',
      end: '2026-11-02T18:15:00.000Z',
    })
  })

  it.each([
    ['Europe/Berlin', '2026-03-29', 23],
    ['Europe/Berlin', '2026-10-25', 25],
    ['America/New_York', '2026-03-08', 23],
    ['Australia/Lord_Howe', '2026-04-05', 24.5],
    ['Australia/Lord_Howe', '2026-10-04', 23.5],
    ['Atlantic/Azores', '2026-10-25', 25],
    ['UTC', '2026-03-29', 24],
  ])('in %s has of %s %d hours', (timezone, day, hours) => {
    const { start, end } = periodOf(day, day, timezone)
    expect((at(end) - at(start)) / 3_600_000).toBe(hours)
  })

  it('begins where the day does, also where that is not midnight', () => {
    // In Havana, 8 March 2026 begins at one o'clock; 1 November begins with the first of two midnights.
    expect(periodOf('2026-03-08', '2026-03-08', 'America/Havana').start).toBe('2026-03-08T05:00:00.000Z')
    expect(periodOf('2026-11-01', '2026-11-01', 'America/Havana').start).toBe('2026-11-01T04:00:00.000Z')
  })

  it('is cut at quarter hours, whatever the timezone and the day', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...Intl.supportedValuesOf('timeZone')),
        fc.integer({ min: 0, max: 3_650 }),
        (timezone, offset) => {
          const day = new Date(Date.UTC(2020, 0, 1) + offset * DAY_MS).toISOString().slice(0, 10)
          const { start, end } = periodOf(day, day, timezone)
          expect(at(start) % QUARTER_MS).toBe(0)
          expect(at(end) % QUARTER_MS).toBe(0)
          expect(today(timezone, at(start))).toBe(day)
          expect(today(timezone, at(start) - 1)).not.toBe(day)
          expect(today(timezone, at(end) - 1)).toBe(day)
        },
      ),
      { numRuns: 200 },
    )
  })
})

describe('today', () => {
  it('is another day on either side of the date line', () => {
    const now = at('2026-11-22T10:30:00Z')
    expect(today('Pacific/Kiritimati', now)).toBe('2026-11-23')
    expect(today('Pacific/Pago_Pago', now)).toBe('2026-11-21')
    expect(today('UTC', now)).toBe('2026-11-22')
  })
})

describe('a period with a name', () => {
  it.each([
    ['7d', '2026-11-16'],
    ['28d', '2026-10-26'],
    ['90d', '2026-08-25'],
    ['12m', '2025-11-23'],
  ] as const)('%s ends today, today included, and begins on %s', (name, from) => {
    const period = namedPeriod(name, 'UTC', at('2026-11-22T23:59:59Z'))
    expect([period.from, period.to]).toEqual([from, '2026-11-22'])
  })

  it('ends on the today of its timezone', () => {
    expect(namedPeriod('7d', 'Pacific/Auckland', at('2026-11-22T12:00:00Z')).to).toBe('2026-11-23')
  })

  it.each([
    ['2028-02-29', '2027-03-01', 366],
    ['2029-02-28', '2028-02-29', 366],
    ['2027-02-28', '2026-03-01', 365],
    ['2028-03-01', '2027-03-02', 366],
  ])('of twelve months to %s begins on %s and has %d days', (to, from, days) => {
    const period = namedPeriod('12m', 'UTC', at(`${to}T12:00:00Z`))
    expect([period.from, period.to]).toEqual([from, to])
    expect(daysBetween(period.from, period.to)).toBe(days)
  })
})

describe('what a period is compared with', () => {
  const later = at('2030-01-01T00:00:00Z')

  it('is as many days just before it', () => {
    expect(comparisonOf(periodOf('2026-03-01', '2026-03-31', 'UTC'), 'previous', later)).toEqual({
      from: '2026-01-29',
      to: '2026-02-28',
      start: '2026-01-29T00:00:00.000Z',
      lastDayStart: '2026-02-28T00:00:00.000Z',
      until: '2026-03-01T00:00:00.000Z',
    })
  })

  it('is the same days a year before', () => {
    const compared = comparisonOf(periodOf('2026-03-01', '2026-03-31', 'UTC'), 'year', later)
    expect([compared?.from, compared?.to]).toEqual(['2025-03-01', '2025-03-31'])
  })

  it('ends with February where the year before had no leap day', () => {
    const compared = comparisonOf(periodOf('2028-02-01', '2028-02-29', 'UTC'), 'year', later)
    expect([compared?.from, compared?.to, compared?.until]).toEqual([
      '2027-02-01',
      '2027-02-28',
      '2027-03-01T00:00:00.000Z',
    ])
  })

  it('is nothing where none is asked for', () => {
    expect(comparisonOf(periodOf('2026-03-01', '2026-03-31', 'UTC'), 'none', later)).toBeNull()
  })

  it('touches the period, and has as many days, for every name', () => {
    for (const name of PERIOD_NAMES) {
      const period = namedPeriod(name, 'America/New_York', at('2026-11-22T10:00:00Z'))
      const compared = comparisonOf(period, 'previous', later)
      expect(daysBetween(compared?.from ?? '', compared?.to ?? '')).toBe(daysBetween(period.from, period.to))
      expect(daysBetween(compared?.to ?? '', period.from)).toBe(2)
      expect(compared?.until).toBe(period.start)
    }
  })

  it.each([
    // Cut at the last full quarter of the same local time of day.
    ['UTC', '2026-11-22T10:14:59.999Z', '2026-11-15T10:00:00.000Z'],
    ['UTC', '2026-11-22T10:15:00.000Z', '2026-11-15T10:15:00.000Z'],
    ['UTC', '2026-11-22T00:00:00.000Z', '2026-11-15T00:00:00.000Z'],
    ['Asia/Kathmandu', '2026-11-22T10:20:00.000Z', '2026-11-15T10:15:00.000Z'],
    // New York: four hours behind UTC a week before, five on the day.
    ['America/New_York', '2026-11-01T14:07:00.000Z', '2026-10-25T13:00:00.000Z'],
    // Berlin: half past two did not exist a week before; its clocks showed half past three.
    ['Europe/Berlin', '2026-04-05T00:30:00.000Z', '2026-03-29T01:30:00.000Z'],
    // Half past two came twice there a week before; the first is meant.
    ['Europe/Berlin', '2026-11-01T01:30:00.000Z', '2026-10-25T00:30:00.000Z'],
    ['Australia/Lord_Howe', '2026-04-12T01:10:00.000Z', '2026-04-05T01:00:00.000Z'],
  ])('stops in %s where the running period does: %s', (timezone, now, until) => {
    const period = namedPeriod('7d', timezone, at(now))
    const compared = comparisonOf(period, 'previous', at(now))
    expect(compared?.until).toBe(until)
    expect(compared?.lastDayStart).toBe(periodOf(compared?.to ?? '', compared?.to ?? '', timezone).start)
  })

  it('is whole where the period is over', () => {
    const now = at('2026-11-22T10:00:00Z')
    const compared = comparisonOf(periodOf('2026-11-15', '2026-11-21', 'UTC'), 'previous', now)
    expect(compared?.until).toBe('2026-11-15T00:00:00.000Z')
  })

  it('is cut within its last day, whatever the timezone and the moment', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...Intl.supportedValuesOf('timeZone')),
        fc.integer({ min: 0, max: 5 * 365 * 24 * 60 }),
        fc.constantFrom('previous' as const, 'year' as const),
        (timezone, minutes, comparison) => {
          const now = Date.UTC(2022, 0, 1) + minutes * MINUTE_MS
          const compared = comparisonOf(namedPeriod('7d', timezone, now), comparison, now)
          if (compared === null) throw new Error('there is a comparison')
          const whole = periodOf(compared.from, compared.to, timezone)
          expect(at(compared.until) % QUARTER_MS).toBe(0)
          expect(at(compared.until)).toBeGreaterThanOrEqual(at(compared.lastDayStart))
          expect(at(compared.until)).toBeLessThanOrEqual(at(whole.end))
        },
      ),
      { numRuns: 300 },
    )
  })
})

describe('the days of a period', () => {
  it('are all of them, over leap days and changes of clocks', () => {
    expect(daysOf({ from: '2028-02-28', to: '2028-03-01' })).toEqual([
      '2028-02-28',
      '2028-02-29',
      '2028-03-01',
    ])
    expect(daysOf({ from: '2026-03-29', to: '2026-03-29' })).toEqual(['2026-03-29'])
    expect(daysOf({ from: '2026-03-29', to: '2026-03-28' })).toEqual([])
  })

  it('are as many as daysBetween counts, which is below 1 where the ends are reversed', () => {
    expect(daysBetween('2026-01-01', '2026-01-01')).toBe(1)
    expect(daysBetween('2025-01-01', '2026-12-31')).toBe(730)
    expect(daysBetween('2026-01-02', '2026-01-01')).toBe(0)
    expect(daysOf({ from: '2025-01-01', to: '2026-12-31' })).toHaveLength(730)
  })
})

describe('the hours of a day', () => {
  it.each([
    ['UTC', '2026-03-29', 24],
    ['Europe/Berlin', '2026-03-29', 23],
    ['Europe/Berlin', '2026-10-25', 25],
    ['America/New_York', '2026-11-01', 25],
    ['America/Havana', '2026-03-08', 23],
    // The last of them is half an hour long.
    ['Australia/Lord_Howe', '2026-04-05', 25],
    ['Australia/Lord_Howe', '2026-10-04', 24],
  ])('in %s are of %s %d', (timezone, day, count) => {
    const period = periodOf(day, day, timezone)
    const hours = hoursOf(period)
    expect(hours).toHaveLength(count)
    expect(hours[0]).toBe(period.start)
    expect(new Set(hours).size).toBe(count)
    for (const [i, hour] of hours.entries()) expect(at(hour)).toBe(at(period.start) + i * 3_600_000)
    expect(at(hours.at(-1) ?? '')).toBeLessThan(at(period.end))
    expect(at(period.end) - at(hours.at(-1) ?? '')).toBeLessThanOrEqual(3_600_000)
  })
})
