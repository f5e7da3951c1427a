import { NeonDbError, neon, neonConfig } from '@neondatabase/serverless'
import { Client } from 'pg'
import { z } from 'zod'
import { type Migration, readMigrations } from '../../db/migrations.ts'
import { type CheckResult, messageOf, ok, problem, solvedByDeploying, warning } from '../report.ts'

const TIMEOUT_MS = 15_000
const MIGRATE = '`npm run db:migrate` brings it up to date, and so does `npm run deploy`'
const UNDEFINED_TABLE = '42P01'
const INSUFFICIENT_PRIVILEGE = '42501'

export interface DatabaseSettings {
  /** The Worker's address. */
  url: string
  /** The owner's address, where it is known. */
  ownerUrl: string | undefined
  replicaUrl: string | undefined
  fetchEndpoint: string | undefined
}

const Role = z.object({
  name: z.string(),
  is_special: z.boolean(),
  owned: z.number(),
  can_become_owner: z.boolean(),
  can_create: z.boolean(),
  unfenced: z.array(z.string()),
  statement_timeout: z.string(),
})

/** Everything the login of the Worker could do beyond its work. */
const ROLE_QUERY = `
  SELECT r.rolname AS name,
    r.rolsuper OR r.rolbypassrls OR r.rolcreaterole OR r.rolcreatedb AS is_special,
    (SELECT count(*)::int FROM pg_shdepend d
      WHERE d.refclassid = 'pg_authid'::regclass AND d.refobjid = r.oid AND d.deptype = 'o'
        AND d.dbid IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))) AS owned,
    EXISTS (SELECT 1 FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace
      AND c.relowner <> r.oid AND pg_has_role(r.oid, c.relowner, 'MEMBER')) AS can_become_owner,
    has_schema_privilege(r.oid, 'public', 'CREATE')
      OR has_database_privilege(r.oid, current_database(), 'CREATE') AS can_create,
    ARRAY(SELECT c.relname::text FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
      WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relrowsecurity
        AND a.attname = 'workspace_id' AND NOT a.attisdropped ORDER BY 1) AS unfenced,
    current_setting('statement_timeout') AS statement_timeout
  FROM pg_roles r WHERE r.rolname = current_user`

const VERSIONS_QUERY = 'SELECT name, hash FROM tidemark_migrations ORDER BY name'
const Applied = z.array(z.object({ name: z.string(), hash: z.string() }))

/** Examines the database as the Worker sees it: reachable, fenced off, up to date. */
export async function checkDatabase(settings: DatabaseSettings): Promise<CheckResult[]> {
  if (settings.fetchEndpoint !== undefined) neonConfig.fetchEndpoint = settings.fetchEndpoint
  return [
    ...checkAddresses(settings),
    ...(await checkAsWorker(settings)),
    ...(await checkOwner(settings)),
    ...(await checkReplica(settings)),
  ]
}

/** What the addresses alone give away. */
export function checkAddresses({ url, ownerUrl, fetchEndpoint }: DatabaseSettings): CheckResult[] {
  const worker = new URL(url)
  const results: CheckResult[] = []
  const isNeon = fetchEndpoint === undefined
  if (isNeon && !worker.hostname.includes('-pooler.')) {
    const advice = 'copy the pooled connection string from the Neon console'
    results.push(warning('database', 'DATABASE_URL is not the pooled address', advice))
  }
  const owner = ownerUrl === undefined ? null : URL.parse(ownerUrl)
  if (!owner) return results
  if (owner.hostname.includes('-pooler.')) {
    const advice = 'copy the direct connection string: migrating holds a lock for its session'
    results.push(problem('database', 'MIGRATION_DATABASE_URL is the pooled address', advice))
  }
  if (owner.username === worker.username) {
    const advice = 'give DATABASE_URL a user name of its own; migrating makes it'
    results.push(problem('database', 'the Worker would be the owner of its tables', advice))
  }
  if (owner.pathname !== worker.pathname) {
    const advice = 'name the same database in DATABASE_URL and MIGRATION_DATABASE_URL'
    results.push(problem('database', 'the two addresses name different databases', advice))
  }
  return results
}

async function checkAsWorker({ url, ownerUrl }: DatabaseSettings): Promise<CheckResult[]> {
  const startedAt = performance.now()
  try {
    const [row] = await overHttp(url, ROLE_QUERY)
    const took = `${(performance.now() - startedAt).toFixed(0)} ms`
    const role = Role.parse(row)
    const applied = await readApplied(url, ownerUrl)
    return [
      ok('database', `answers in ${took} from here`),
      ...describeRole(role),
      ...(applied === null ? [unreadableVersion()] : compareVersions(await readMigrations(), applied)),
    ]
  } catch (error) {
    const finding = `does not answer: ${messageOf(error)}`
    // The login is made by migrating.
    const advice =
      'compare DATABASE_URL with the Neon console; a login that is new is made by `npm run db:migrate`'
    const result = problem('database', finding, advice)
    return [isRefusedLogin(error) ? solvedByDeploying(result) : result]
  }
}

function describeRole(role: z.infer<typeof Role>): CheckResult[] {
  const results: CheckResult[] = []
  const advice =
    'put a new user name and password into DATABASE_URL, and migrate: that makes a login without rights'
  const complain = (finding: string) => results.push(problem('database role', finding, advice))
  if (role.is_special) complain(`${role.name} may do what only an administrator should`)
  if (role.owned > 0)
    complain(`${role.name} owns objects (${role.owned}), and so stands above their policies`)
  if (role.can_become_owner) complain(`${role.name} can become the owner of tables`)
  if (role.can_create) complain(`${role.name} may create tables or schemas`)
  if (role.unfenced.length > 0) {
    const finding = `without row-level security: ${role.unfenced.join(', ')}`
    results.push(problem('database role', finding, 'add a migration that turns it on'))
  }
  if (role.statement_timeout === '0') {
    const finding = `${role.name} has no statement_timeout`
    results.push(solvedByDeploying(warning('database role', finding, `migrating sets it: ${MIGRATE}`)))
  }
  return results.length > 0
    ? results
    : [ok('database role', `${role.name} owns nothing and may create nothing`)]
}

function unreadableVersion(): CheckResult {
  return warning('schema', 'its version cannot be read', 'set MIGRATION_DATABASE_URL, whose role may')
}

/** Holds what was applied against the files of this checkout. */
export function compareVersions(
  migrations: readonly Pick<Migration, 'name' | 'hash'>[],
  applied: readonly { name: string; hash: string }[],
): CheckResult[] {
  const done = new Map(applied.map(({ name, hash }) => [name, hash]))
  const known = new Set(migrations.map(({ name }) => name))
  const pending = migrations.filter(({ name }) => !done.has(name)).map(({ name }) => name)
  const edited = migrations.filter(({ name, hash }) => done.has(name) && done.get(name) !== hash)
  const unknown = applied.filter(({ name }) => !known.has(name)).map(({ name }) => name)
  const results: CheckResult[] = []
  if (edited.length > 0) {
    const finding = `edited after they were applied: ${edited.map(({ name }) => name).join(', ')}`
    results.push(
      problem('schema', finding, 'restore these files, and add a migration for what has to change'),
    )
  }
  if (unknown.length > 0) {
    const finding = `the database is ahead of this checkout: ${unknown.join(', ')}`
    results.push(warning('schema', finding, 'update the checkout, unless this is a rollback'))
  }
  if (pending.length > 0) {
    results.push(solvedByDeploying(problem('schema', `not yet applied: ${pending.join(', ')}`, MIGRATE)))
  }
  return results.length > 0 ? results : [ok('schema', `at ${migrations.at(-1)?.name ?? 'nothing'}`)]
}

/** What was applied, read as the Worker or, where that may not, as the owner; `null` where neither can. */
async function readApplied(url: string, ownerUrl: string | undefined) {
  try {
    return Applied.parse(await overHttp(url, VERSIONS_QUERY))
  } catch (error) {
    if (!(error instanceof NeonDbError)) throw error
    if (error.code === UNDEFINED_TABLE) return []
    if (error.code !== INSUFFICIENT_PRIVILEGE) throw error
    return ownerUrl === undefined ? null : readAppliedAsOwner(ownerUrl).catch(() => null)
  }
}

async function readAppliedAsOwner(ownerUrl: string) {
  return asOwner(ownerUrl, async (client) => Applied.parse((await client.query(VERSIONS_QUERY)).rows))
}

async function checkOwner({ ownerUrl }: DatabaseSettings): Promise<CheckResult[]> {
  if (ownerUrl === undefined) return []
  const advice = 'compare MIGRATION_DATABASE_URL with the Neon console'
  try {
    const mayCreate = await asOwner(ownerUrl, async (client) => {
      const { rows } = await client.query<{ may: boolean }>(
        "SELECT has_schema_privilege('public', 'CREATE') AS may",
      )
      return rows[0]?.may === true
    })
    if (mayCreate) return [ok('database owner', 'may migrate')]
    return [
      problem('database owner', 'may not create tables', `name the role that owns the database; ${advice}`),
    ]
  } catch (error) {
    return [problem('database owner', `cannot connect: ${messageOf(error)}`, advice)]
  }
}

async function checkReplica({ replicaUrl }: DatabaseSettings): Promise<CheckResult[]> {
  if (replicaUrl === undefined) return []
  try {
    const [row] = await overHttp(replicaUrl, 'SELECT pg_is_in_recovery() AS is_replica')
    if (z.object({ is_replica: z.boolean() }).parse(row).is_replica) return [ok('replica', 'answers')]
    const advice = 'leave DATABASE_READ_URL empty where there is no replica'
    return [warning('replica', 'DATABASE_READ_URL is no replica', advice)]
  } catch (error) {
    return [
      problem(
        'replica',
        `does not answer: ${messageOf(error)}`,
        'compare DATABASE_READ_URL with the console',
      ),
    ]
  }
}

function overHttp(url: string, query: string): Promise<unknown[]> {
  return neon(url).query(query, [], { fetchOptions: { signal: AbortSignal.timeout(TIMEOUT_MS) } })
}

async function asOwner<T>(ownerUrl: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({
    connectionString: ownerUrl,
    connectionTimeoutMillis: TIMEOUT_MS,
    query_timeout: TIMEOUT_MS,
  })
  // A connection that breaks off is an error of the query under way.
  client.on('error', () => {})
  try {
    await client.connect()
    return await work(client)
  } finally {
    await client.end().catch(() => {})
  }
}

/** Wrong password or no such role. */
function isRefusedLogin(error: unknown): boolean {
  if (!(error instanceof NeonDbError)) return false
  return error.code?.startsWith('28') === true || /password authentication failed/i.test(error.message)
}
