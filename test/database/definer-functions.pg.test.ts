import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { PLATFORMS } from '../../src/domain/platforms.ts'
import { createTestDatabase, type TestDatabase } from '../harness/database.ts'
import { makeAccount } from '../harness/factories.ts'
import { type AppConnection, connectAsApp, REFUSED } from './as-app.ts'
import { fillEveryTable } from './rows.ts'

let database: TestDatabase
let app: AppConnection
let workspaceId: string
beforeAll(async () => {
  database = await createTestDatabase()
  workspaceId = await fillEveryTable(database)
  await fillEveryTable(database)
  await makeAccount(database, workspaceId)
  app = await connectAsApp(database)
})
afterAll(async () => {
  await app.end()
  await database.close()
})

interface DefinerFunction {
  name: string
  types: string[]
}

/** Functions that run as the owner, by name. */
async function definerFunctions(): Promise<Map<string, DefinerFunction>> {
  const rows = await database.sql<DefinerFunction>(
    `SELECT proname::text AS name,
       ARRAY(SELECT format_type(t, NULL) FROM unnest(proargtypes::oid[]) WITH ORDINALITY AS a (t, n) ORDER BY n) AS types
     FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prosecdef ORDER BY 1`,
  )
  return new Map(rows.map((row) => [row.name, row]))
}

/** An id that is nobody's. */
const NOBODY = '00000000-0000-0000-0000-000000000000'

/** What a function is given by somebody who has no business with it. `NULL` fits everywhere. */
const HOSTILE: Record<string, readonly string[]> = {
  text: ["''", "''' OR TRUE --'", "'%'", "'; DROP TABLE posts; --'", "'nobody'"],
  uuid: [`'${NOBODY}'`],
  'uuid[]': ["'{}'", "'{NULL}'", `'{${NOBODY}}'`],
  jsonb: ["'{}'", "'null'"],
  'text[]': ["'{}'", "'{NULL}'", `'{"'' OR TRUE --"}'`],
  integer: ['0', '-1'],
  bigint: ['1', '-1'],
  'double precision': ['-1', "'NaN'"],
  interval: ["'0'", "'-1 day'"],
  'timestamp with time zone': ["'-infinity'", "'1970-01-01'"],
  'timestamp with time zone[]': ["'{}'", "'{NULL}'", "'{-infinity}'"],
}

/**
 * Calls of a function in which every argument is hostile: all `NULL`, and each hostile value with the others
 * hostile as well.
 */
function hostileCalls({ name, types }: DefinerFunction): string[] {
  const rounds = Math.max(1, ...types.map((type) => HOSTILE[type]?.length ?? 0))
  const call = (values: string[]) =>
    `SELECT to_jsonb(r) AS row FROM ${name}(${values.map((value, i) => `${value}::${types[i]}`).join(', ')}) r`
  return [
    call(types.map(() => 'NULL')),
    ...Array.from({ length: types.length === 0 ? 0 : rounds }, (_, round) =>
      call(
        types.map((type) => {
          const values = HOSTILE[type]
          if (values === undefined) throw new Error(`nothing hostile is known of type ${type}`)
          return values[round % values.length] ?? 'NULL'
        }),
      ),
    ),
  ]
}

/**
 * What may come back of a hostile call, where that is not nothing at all. A function that is not on either
 * list must be put on one: by what it is for, nobody is to learn more.
 */
const ANSWERS: Record<string, (rows: unknown[]) => boolean> = {
  app_accept_invitation: (rows) =>
    JSON.stringify(rows) === JSON.stringify([{ outcome: 'unknown', workspace_id: null }]),
  // Figures of the deployment by platform; nothing of them says whose they are.
  app_api_usage_by_platform: (rows) =>
    rows.every((row) => String(Object.keys(Object(row)).sort()) === String(USAGE_FIGURES)) &&
    !JSON.stringify(rows).includes(workspaceId),
  // Whose sums are compared tonight: ids, and nothing else.
  app_workspaces_to_reconcile: (rows) => rows.every((row) => typeof row === 'string'),
  // Whose trends are due: ids, and nothing else.
  app_workspaces_with_hashtags: (rows) => rows.every((row) => typeof row === 'string'),
  // Platforms that somebody reads: names of ours.
  app_public_platforms: (rows) => rows.every((row) => PLATFORMS.some((platform) => platform === row)),
  app_expire: (rows) => rows.every((row) => Object.values(Object(row)).every((count) => count === 0)),
}
const USAGE_FIGURES = 'calls cost_micros failures items latency_ms platform slowest_ms units'.split(' ')
/** What they return, `void` apart, where they return one value whatever they are given. */
const ONE_VALUE = [
  'app_audit_person',
  'app_claim_operator',
  'app_count',
  'app_ensure_partitions',
  'app_ensure_snapshot_partitions',
  'app_public_told',
  'app_put_off_accounts',
  'app_record_api_usage',
  'app_record_malformed',
  'app_touch_api_key',
]
const NO_ROWS = [
  'app_api_key',
  'app_authorization_by_state',
  'app_claim_due_accounts',
  'app_claim_due_posts',
  'app_create_first_workspace',
  'app_expiring_credentials',
  'app_invitation',
  'app_person',
  'app_platforms_with_due_posts',
  'app_posts_by_rate',
  'app_posts_in_rates',
  'app_public_tag_counts',
  'app_public_tag_posts',
  'app_search_posts',
  'app_store_public_trends',
  'app_undelivered_events',
]
/** Figures of the whole database, for its operators: they take no argument of anybody's, and name no tenant. */
const OF_THE_DATABASE = [
  'app_database_partitions',
  'app_database_state',
  'app_database_tables',
  'app_outbox_state',
  'app_schema_version',
]

/** Everything there is, to see that a call has changed nothing. */
async function everything() {
  const tables = await database.sql<{ name: string }>(
    `SELECT c.oid::regclass::text AS name FROM pg_class c
     WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') ORDER BY 1`,
  )
  const contents: Record<string, unknown> = {}
  for (const { name } of tables)
    contents[name] = await database.sql(`SELECT to_jsonb(t) AS row FROM ${name} t ORDER BY 1`)
  return contents
}

describe('functions that run as the owner', () => {
  it('are all known by what they may be asked', async () => {
    const known = [...Object.keys(ANSWERS), ...ONE_VALUE, ...NO_ROWS, ...OF_THE_DATABASE]
    expect([...(await definerFunctions()).keys()].sort()).toEqual(known.sort())
  })

  it('give nothing and change nothing for arguments that are nobody’s', async () => {
    const before = await everything()
    for (const [name, definer] of await definerFunctions()) {
      if (OF_THE_DATABASE.includes(name)) continue
      for (const text of hostileCalls(definer)) {
        // Not undone, so that what it changes would be seen.
        const outcome = await app.client.query<{ row: unknown }>(text).then(
          ({ rows }) => rows.map(({ row }) => row),
          (error: unknown) => error,
        )
        if (outcome instanceof Error) {
          // A value that breaks a rule, never one that was run as SQL, nor one that the function fails over.
          expect(outcome, text).toMatchObject({ code: expect.stringMatching(/^(22|23)/) })
          continue
        }
        const rows = Array.isArray(outcome) ? outcome : [outcome]
        if (ONE_VALUE.includes(name)) expect(rows.length, text).toBe(1)
        else if (NO_ROWS.includes(name)) expect(rows, text).toEqual([])
        else expect(ANSWERS[name]?.(rows), `${text}: ${JSON.stringify(rows)}`).toBe(true)
      }
    }
    expect(await everything()).toEqual(before)
  })

  it('tell operators of the database without a word of a workspace', async () => {
    const told: string[] = []
    for (const [name, { types }] of await definerFunctions()) {
      if (!OF_THE_DATABASE.includes(name)) continue
      const { rows } = await app.client.query(`SELECT * FROM ${name}(${types.map(() => '100').join(', ')})`)
      told.push(JSON.stringify(rows))
    }
    expect(told.join()).not.toContain(workspaceId)
  })

  it('take a person’s word only for that person', async () => {
    const [{ id, other } = { id: '', other: '' }] = await database.sql<{ id: string; other: string }>(
      `SELECT m.user_id AS id, (SELECT user_id FROM workspace_members o WHERE o.workspace_id <> m.workspace_id) AS other
       FROM workspace_members m WHERE m.workspace_id = $1`,
      [workspaceId],
    )
    const person = await app.client.query('SELECT workspace_id FROM app_person($1, $2)', [id, 'no session'])
    expect(person.rows).toEqual([{ workspace_id: workspaceId }])
    const stands = 'SELECT DISTINCT session_stands FROM app_person($1, $2)'
    const [{ session } = { session: '' }] = await database.sql<{ session: string }>(
      "UPDATE auth_sessions SET expires_at = now() + interval '1 day' WHERE user_id = $1 RETURNING id AS session",
      [other],
    )
    expect((await app.client.query(stands, [id, session])).rows).toEqual([{ session_stands: false }])
    expect((await app.client.query(stands, [other, session])).rows).toEqual([{ session_stands: true }])
  })

  it('make nobody an operator once somebody is', async () => {
    await database.sql('UPDATE deployment SET claimed_at = now() WHERE claimed_at IS NULL')
    const before = await database.sql('SELECT user_id FROM operators ORDER BY 1')
    for (const { id } of await database.sql<{ id: string }>('SELECT id FROM auth_users'))
      expect((await app.client.query('SELECT app_claim_operator($1) AS made', [id])).rows).toEqual([
        { made: false },
      ])
    expect(await database.sql('SELECT user_id FROM operators ORDER BY 1')).toEqual(before)
  })
})

describe('what is planted for a function that runs as the owner', () => {
  it('cannot stand where every name is looked up', async () => {
    for (const text of [
      "CREATE FUNCTION public.lower(text) RETURNS text LANGUAGE sql AS 'SELECT $1'",
      'CREATE TABLE public.planted (id text)',
      "CREATE FUNCTION pg_catalog.planted() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    ])
      await expect(app.client.query(text), text).rejects.toMatchObject(REFUSED)
  })

  it('is not found among the temporary objects, which anybody may make', async () => {
    const [{ id } = { id: '' }] = await database.sql<{ id: string }>(
      'SELECT user_id AS id FROM workspace_members WHERE workspace_id = $1',
      [workspaceId],
    )
    const asked = [
      'SELECT * FROM app_person($1, NULL)',
      'SELECT * FROM app_api_key($1)',
      'SELECT * FROM app_invitation($1, now())',
      `SELECT * FROM app_undelivered_events(interval '0', 100) WHERE $1 <> ''`,
      `SELECT * FROM app_workspaces_with_hashtags('-infinity') WHERE $1 <> '' ORDER BY 1`,
      `SELECT * FROM app_workspaces_to_reconcile('${NOBODY}', 10) WHERE $1 <> ''`,
      `SELECT * FROM app_api_usage_by_platform('-infinity') WHERE $1 <> ''`,
    ]
    const answers = async () => {
      const rows: unknown[] = []
      for (const text of asked) rows.push((await app.client.query(text, [id])).rows)
      return rows
    }
    const before = await answers()
    expect(before.filter((rows) => Array.isArray(rows) && rows.length > 0).length).toBeGreaterThan(1)
    await app.client.query(`CREATE TEMP TABLE betrayed (who text)`)
    const tables = [
      'auth_users',
      'workspaces',
      'workspace_members',
      'api_keys',
      'invitations',
      'outbox',
      'posts',
    ]
    for (const name of [
      ...tables,
      'accounts',
      'api_usage',
      'post_hashtags',
      'operators',
      'auth_sessions',
      'member_brands',
    ])
      await app.client.query(`CREATE TEMP TABLE ${name} (LIKE public.${name})`)
    for (const [signature, type] of [
      ['lower(text)', 'text'],
      ['now()', 'timestamptz'],
      ['texteq(text, text)', 'boolean'],
      ['uuid_eq(uuid, uuid)', 'boolean'],
    ])
      await app.client.query(
        `CREATE FUNCTION pg_temp.${signature} RETURNS ${type} LANGUAGE sql AS
         'INSERT INTO pg_temp.betrayed VALUES (current_user); SELECT NULL::${type}'`,
      )
    await app.client.query('SET search_path = pg_temp, public, pg_catalog')
    try {
      // Asked by their whole names: the caller's own search path is the caller's affair.
      expect(await answers()).toEqual(before)
      expect((await app.client.query('SELECT * FROM pg_temp.betrayed')).rows).toEqual([])
    } finally {
      await app.client.query('RESET search_path')
      await app.client.query('DISCARD TEMP')
    }
  })
})
