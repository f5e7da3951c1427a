import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isTimezone, periodOf } from '../../src/domain/periods.ts'
import { createTestDatabase, type TestDatabase } from '../harness/database.ts'

/**
 * Days are cut by the Worker (borders of periods) and by Postgres (days of rollups). Both have their own copy
 * of the timezone database, and their own idea of names beyond it.
 */
let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.close())

/** What runtimes know beside the IANA names. */
const LEGACY =
  'ACT AET AGT ART AST BET BST CAT CET CNT CST CTT EAT ECT EET EST GMT HST IET IST JST MET MIT MST NET NST PLT PNT PRT PST SST UCT UTC VST WET SystemV/AST4ADT SystemV/EST5 US/Pacific-New utc Cet europe/berlin'.split(
    ' ',
  )

const local = (timezone: string) => {
  const format = new Intl.DateTimeFormat('sv-SE', {
    timeZone: timezone,
    dateStyle: 'short',
    timeStyle: 'short',
  })
  return (instant: string) => format.format(new Date(instant))
}

describe('timezones', () => {
  it('that are taken are the same to Postgres', async () => {
    const known = await database.sql<{ name: string }>('SELECT name FROM pg_timezone_names')
    const names = [...Intl.supportedValuesOf('timeZone'), ...known.map(({ name }) => name), ...LEGACY]
    const taken = [...new Set(names)].filter(isTimezone)
    expect(taken.length).toBeGreaterThan(400)
    // Of years that no edition of the timezone database changes any more.
    const instants = Array.from({ length: 24 }, (_, month) =>
      new Date(Date.UTC(2021, month, 15)).toISOString(),
    )
    const localTimes = (of: string[]) =>
      database.sql<{ name: string; times: string[] }>(
        `SELECT name, array_agg(to_char(i::timestamptz AT TIME ZONE name, 'YYYY-MM-DD HH24:MI') ORDER BY i) AS times
         FROM unnest($1::text[]) AS name CROSS JOIN unnest($2::text[]) AS i GROUP BY 1`,
        [of, instants],
      )
    // A name that Postgres does not know is an error, so that those outside its list are asked for one by one.
    const listed = new Set(known.map(({ name }) => name))
    const found = await localTimes(taken.filter((name) => listed.has(name)))
    for (const name of taken.filter((name) => !listed.has(name)))
      found.push(...(await localTimes([name]).catch(() => [{ name, times: [] }])))
    expect(found).toHaveLength(taken.length)
    const wrong = found.filter(({ name, times }) => String(times) !== String(instants.map(local(name))))
    expect(wrong).toEqual([])
  })

  it.each([
    // Clocks go forward at midnight, back over it, by half an hour; days of other lengths than 24 hours.
    ['America/Havana', '2026-03-08'],
    ['America/Havana', '2026-11-01'],
    ['Atlantic/Azores', '2026-10-25'],
    ['America/Santiago', '2026-09-06'],
    ['Australia/Lord_Howe', '2026-04-05'],
    ['Europe/Berlin', '2026-03-29'],
    ['Asia/Kathmandu', '2026-06-01'],
  ])('give %s the same borders of %s as Postgres has', async (timezone, day) => {
    const { start, end } = periodOf(day, day, timezone)
    expect(
      await database.sql(
        `SELECT ($1::timestamptz AT TIME ZONE $3)::date::text AS first,
           (($1::timestamptz - interval '1 millisecond') AT TIME ZONE $3)::date = $4::date - 1 AS after,
           (($2::timestamptz - interval '1 millisecond') AT TIME ZONE $3)::date::text AS last,
           ($2::timestamptz AT TIME ZONE $3)::date = $4::date + 1 AS until`,
        [start, end, timezone, day],
      ),
    ).toEqual([{ first: day, after: true, last: day, until: true }])
  })
})
