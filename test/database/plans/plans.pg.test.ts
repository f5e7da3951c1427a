import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fillWorkspace } from '../../../bench/lib/fill-workspace.ts'
import { createTestDatabase, type TestDatabase } from '../../harness/database.ts'
import { makeWorkspace } from '../../harness/factories.ts'
import { checkPlans } from './check-plans.ts'
import { catalogue } from './statements.ts'

const QUERIES = fileURLToPath(new URL('../../../src/db/queries/', import.meta.url))
/** More than are read to be sorted (`FEW_POSTS`), so that both ways of making a page are gone. */
const POSTS = 12_000
const ACCOUNTS = 24

/** Functions that make a statement that writes nothing, and are no read of the API. */
const NO_READS: readonly string[] = [
  // Tells of the deployment to its operators, in functions of its own.
  'databasePartitions',
  'databaseState',
  'databaseTables',
  'deploymentState',
  'schemaVersion',
  'selectCounters',
  'selectMalformedAnswers',
  'selectUsageByPlatform',
  // Asked by jobs and by what writes.
  'authorizationByState',
  'connectedAccounts',
  'countAccounts',
  'countSessions',
  'endOfRange',
  'expiringCredentials',
  'findAccountsByHandle',
  'platformsWithDuePosts',
  'publicPlatforms',
  'reconcileDays',
  'reconcileQuarters',
  'selectAnswer',
  'selectAuthorization',
  'selectBackfills',
  'selectCredentials',
  'selectJobWork',
  'selectMember',
  'selectNewestPost',
  'storedPublicTrends',
  'untoldPublicTrends',
  'workspacesToReconcile',
  'workspacesWithHashtags',
]

let database: TestDatabase
let workspaceId: string
beforeAll(async () => {
  database = await createTestDatabase()
  workspaceId = await makeWorkspace(database)
  await fillWorkspace({ db: database.db, ownerSql: database.sql }, workspaceId, {
    accounts: ACCOUNTS,
    posts: POSTS,
    days: 365,
  })
  await database.sql('ANALYZE')
}, 60_000)
afterAll(() => database.close())

/** Names of the functions that make statements without a word that writes. */
async function readingFunctions(): Promise<string[]> {
  const files = (await readdir(QUERIES, { recursive: true })).filter((file) => /(?<!\.test)\.ts$/.test(file))
  const texts = await Promise.all(files.map((file) => readFile(join(QUERIES, file), 'utf8')))
  return texts
    .flatMap((text) => text.split(/^(?=export )/m))
    .filter((text) =>
      /^export function \w+\(.*?\): Statement<(?!never|unknown)/s.test(text.split('\n}\n')[0] ?? ''),
    )
    .map((text) => text.split('\n}\n')[0] ?? '')
    .filter(
      (text) =>
        !/INSERT INTO|UPDATE \w|DELETE FROM|FOR UPDATE|app_(claim|create|accept|put_off|ensure|expire|record|store|undelivered)/.test(
          text,
        ),
    )
    .flatMap((text) => /^export function (\w+)/.exec(text)?.[1] ?? [])
    .sort()
}

describe('the catalogue of statements', () => {
  it('has every statement that the API reads by', async () => {
    const nowhere = { value: '0', id: workspaceId }
    const facts = {
      ...{
        workspaceId,
        timezone: 'UTC',
        accountIds: [],
        postId: workspaceId,
        frequentTag: 'a',
        rareTag: 'b',
      },
      positions: {
        ...{ postedAt: nowhere, engagements: nowhere, engagementRate: nowhere, likes: nowhere },
        ...{ comments: nowhere, shares: nowhere, saves: nowhere, views: nowhere },
      },
      ...{ oldest: '2026-01-01T00:00:00Z', newest: '2026-11-01T00:00:00Z', frequentWord: 'a', rareWord: 'b' },
    }
    const known = new Set(catalogue(facts).map(({ of }) => of))
    const reading = await readingFunctions()
    expect(reading.filter((name) => !known.has(name) && !NO_READS.includes(name))).toEqual([])
    expect(NO_READS.filter((name) => known.has(name) || !reading.includes(name))).toEqual([])
    expect(known.size).toBeGreaterThan(40)
  })
})

// Postgres is right to read a small table from its beginning to its end. With `pretendLarge` it does so only where no
// index can be used at all, and what an index that does not fit reads in vain is counted as read.
describe('plans', () => {
  /** Counts are sorted alike: with every filter by likes, and by each of the others as a whole and for one account. */
  const isTold = (name: string) =>
    !/^posts by (engagements|comments|shares|saves|views): (?!all|one account(, deep)?$)/.test(name)

  it('find what they need by an index, a bounded number of rows, and in memory', async () => {
    expect(await checkPlans(database, workspaceId, { pretendLarge: true, only: isTold })).toEqual([])
  }, 60_000)

  it('are found out where an index is missing, within functions as well', async () => {
    await database.sql(
      'DROP INDEX posts_account_likes, posts_account_rate, post_search_terms, audit_log_workspace',
    )
    const names = [
      'posts by likes: all',
      'posts by engagementRate: all',
      'posts by postedAt: a rare word',
      'audit log: all',
    ]
    const findings = await checkPlans(database, workspaceId, {
      pretendLarge: true,
      only: (name) => names.includes(name),
    })
    expect([...new Set(findings.map(({ statement }) => statement))].sort()).toEqual(names.sort())
  })
})
