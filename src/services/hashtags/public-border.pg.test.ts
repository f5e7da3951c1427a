import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../../test/harness/database.ts'
import { quietDeps } from '../../../test/harness/deps.ts'
import { makeAccount, makeWorkspace, reading } from '../../../test/harness/factories.ts'
import type { PostReading } from '../../db/queries/ingest/index.ts'
import { newId } from '../../lib/ids.ts'
import { ingest } from '../ingest/ingest.ts'
import { getPublicHashtagCourse } from './get-hashtag-course.ts'
import { getPublicTrending } from './get-public-trending.ts'

/**
 * What one workspace says of a public account must not become what everybody sees. Expected figures come from
 * plain SQL over the posts that were last read where anyone can.
 */
let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.close())

const NOW = '2026-04-02T15:23:00.000Z'
const ctx = () => ({ db: database.db, clock: { now: () => Date.parse(NOW) } })
const at = (minute: number) => `2026-04-02T15:${String(minute).padStart(2, '0')}:00.000Z`

type Given = Partial<Omit<PostReading, 'metrics'>> & { likes?: number }

let made = 0
const newTag = () => `border${++made}`

function postOf(accountId: string, tags: string[], { likes = 2, ...given }: Given = {}): PostReading {
  return reading(accountId, 'a', {
    text: `About ${tags.join(' ')}`,
    postedAt: at(0),
    observedAt: at(1),
    hashtags: tags.map((tag) => ({ tag, display: tag })),
    metrics: { likes },
    ...given,
  })
}

/** As a platform gives them. */
const read = (workspaceId: string, ...posts: PostReading[]) =>
  ingest(quietDeps(database.db), { workspaceId, posts })

/** As a file gives them. */
async function importFile(workspaceId: string, ...posts: PostReading[]) {
  const importId = newId()
  await database.sql(
    `INSERT INTO jobs (id, workspace_id, kind, created_by, expires_at)
     VALUES ($1, $2, 'import', 'user:somebody', '2099-01-01')`,
    [importId, workspaceId],
  )
  await database.sql(
    `INSERT INTO imports (id, workspace_id, platform, format, object_key, size_bytes)
     VALUES ($1, $2, 'bluesky', 'csv', 'imports/1', 10)`,
    [importId, workspaceId],
  )
  return ingest(quietDeps(database.db), { workspaceId, posts, guard: { importId, fromOffset: 0 } })
}

async function accountsOf(workspaceId: string, howMany: number, source = 'public'): Promise<string[]> {
  const accounts: string[] = []
  for (let i = 0; i < howMany; i++) accounts.push(await makeAccount(database, workspaceId, { source }))
  return accounts
}

/** What the public is shown of a tag, and what the posts read in public come to. */
async function figures(tag: string) {
  const trending = await getPublicTrending(ctx(), {
    window: '1h',
    platforms: [],
    sort: 'volume',
    limit: 100,
  })
  const course = await getPublicHashtagCourse(ctx(), tag)
  const item = trending.items.find((one) => one.tag === tag)
  const today = course.days.at(-1)
  const shown = {
    uses: item?.uses ?? 0,
    engagements: item?.engagements ?? null,
    courseUses: today?.uses ?? 0,
    courseEngagements: today?.engagements ?? null,
    texts: course.topPosts.map((post) => post.text).sort(),
    urls: course.topPosts.map((post) => post.url).sort(),
  }
  const [truth] = await database.sql<{
    uses: number
    engagements: number | null
    texts: string[]
    urls: string[]
  }>(
    `SELECT count(*)::int AS uses, sum(engagements)::int AS engagements,
       coalesce(array_agg(text ORDER BY text), '{}') AS texts, coalesce(array_agg(url ORDER BY url), '{}') AS urls
     FROM (
       SELECT DISTINCT ON (a.external_id, p.platform_post_id) p.*
       FROM posts p JOIN accounts a ON a.id = p.account_id
       WHERE a.source = 'public' AND a.status IN ('active', 'paused') AND a.deleted_at IS NULL AND p.publicly_read
         AND EXISTS (SELECT 1 FROM post_hashtags h WHERE h.post_id = p.id AND h.tag = $1)
       ORDER BY a.external_id, p.platform_post_id, p.metrics_at DESC
     ) newest WHERE deleted_at IS NULL`,
    [tag],
  )
  if (truth === undefined) throw new Error('the truth is one row')
  expect(shown).toEqual({
    ...truth,
    courseUses: truth.uses,
    courseEngagements: truth.engagements,
    texts: truth.texts.toSorted(),
    urls: truth.urls.toSorted(),
  })
  return shown
}

describe('an import into an account that is read in public', () => {
  it('adds nothing to the public trends, whatever it says of when it was read', async () => {
    const tag = newTag()
    const workspaceId = await makeWorkspace(database)
    const accounts = await accountsOf(workspaceId, 5)
    await importFile(workspaceId, ...accounts.map((id) => postOf(id, [tag])))
    await importFile(
      workspaceId,
      ...accounts.map((id) => postOf(id, [tag], { platformPostId: 'made-up', observedAt: null })),
    )
    expect(await figures(tag)).toMatchObject({ uses: 0, courseUses: 0, texts: [] })
  })

  it('takes a post out of them that it overtakes, until the platform is read again', async () => {
    const [tag, planted] = [newTag(), newTag()]
    const workspaceId = await makeWorkspace(database)
    const [first = '', ...others] = await accountsOf(workspaceId, 3)
    await read(workspaceId, ...[first, ...others].map((id) => postOf(id, [tag])))
    expect(await figures(tag)).toMatchObject({ uses: 3, engagements: 6 })

    const url = 'https://elsewhere.example/'
    const lie = postOf(first, [planted], { text: `Buy ${planted}`, url, observedAt: at(5), likes: 9_000 })
    expect(await importFile(workspaceId, lie)).toMatchObject({ updated: 1 })
    expect(await figures(tag)).toMatchObject({ uses: 2, engagements: 4 })
    expect(await figures(planted)).toMatchObject({ uses: 0 })

    await read(workspaceId, postOf(first, [tag], { observedAt: at(9), likes: 4 }))
    expect(await figures(tag)).toMatchObject({ uses: 3, engagements: 8, urls: [null, null, null] })
    expect(await figures(planted)).toMatchObject({ uses: 0 })
  })

  it('leaves nothing of its text or address in a post that the platform shows without', async () => {
    const tag = newTag()
    const workspaceId = await makeWorkspace(database)
    const [account = ''] = await accountsOf(workspaceId, 1)
    await importFile(
      workspaceId,
      postOf(account, [tag], { text: `Buy #${tag}`, url: 'https://elsewhere.example/' }),
    )
    await read(workspaceId, postOf(account, [tag], { text: null, observedAt: at(5) }))
    expect(await figures(tag)).toMatchObject({ uses: 1, texts: [null], urls: [null] })
  })

  it('plants no tag and no time, also under a text that is the platform’s own', async () => {
    const [tag, planted] = [newTag(), newTag()]
    const workspaceId = await makeWorkspace(database)
    const [account = ''] = await accountsOf(workspaceId, 1)
    const text = 'The same words'
    await importFile(
      workspaceId,
      postOf(account, [tag, planted], { text, postedAt: at(2), observedAt: at(3) }),
    )
    const before = await read(
      workspaceId,
      postOf(account, [tag], { text, postedAt: '2026-03-20T08:00:00.000Z', observedAt: at(5) }),
    )
    expect(before.generation).not.toBeNull()
    const rows = await database.sql(
      'SELECT tag, posted_at FROM post_hashtags WHERE account_id = $1 ORDER BY tag',
      [account],
    )
    expect(rows).toEqual([{ tag, posted_at: new Date('2026-03-20T08:00:00.000Z') }])
    expect((await figures(planted)).uses).toBe(0)
  })

  it('says that something changed where a public reading takes back a planted tag alone', async () => {
    const [tag, planted] = [newTag(), newTag()]
    const workspaceId = await makeWorkspace(database)
    const [account = ''] = await accountsOf(workspaceId, 1)
    await importFile(workspaceId, postOf(account, [tag, planted], { text: 'Words' }))
    const taken = await read(workspaceId, postOf(account, [tag], { text: 'Words', observedAt: at(5) }))
    const again = await read(workspaceId, postOf(account, [tag], { text: 'Words', observedAt: at(6) }))
    expect([taken.generation, again.generation]).toEqual([2, null])
  })

  it('does not take out of them what another workspace has read of the same account', async () => {
    const tag = newTag()
    const external = `did:plc:${tag}`
    const [mine, theirs] = [await makeWorkspace(database), await makeWorkspace(database)]
    const [[own = ''], [copy = '']] = [await accountsOf(mine, 1), await accountsOf(theirs, 1)]
    await database.sql('UPDATE accounts SET external_id = $1 WHERE id IN ($2, $3)', [external, own, copy])
    await read(mine, postOf(own, [tag], { observedAt: at(1) }))
    await read(theirs, postOf(copy, [tag], { observedAt: at(2) }))
    // The newest word on the post, and a file's.
    await importFile(theirs, postOf(copy, [tag], { observedAt: at(8), likes: 700 }))
    expect(await figures(tag)).toMatchObject({ uses: 1, engagements: 2 })
    await read(theirs, postOf(copy, [tag], { observedAt: at(9), likes: 3 }))
    expect(await figures(tag)).toMatchObject({ uses: 1, engagements: 3 })
  })
})

describe('a post', () => {
  it('read with a credential counts in public once it is read without', async () => {
    const tag = newTag()
    const workspaceId = await makeWorkspace(database)
    const [account = ''] = await accountsOf(workspaceId, 1, 'credential')
    await read(workspaceId, postOf(account, [tag]))
    expect((await figures(tag)).uses).toBe(0)
    await database.sql("UPDATE accounts SET source = 'public' WHERE id = $1", [account])
    expect((await figures(tag)).uses).toBe(0)
    await read(workspaceId, postOf(account, [tag], { observedAt: at(5) }))
    expect((await figures(tag)).uses).toBe(1)
    await database.sql("UPDATE accounts SET source = 'credential' WHERE id = $1", [account])
    await read(workspaceId, postOf(account, [tag], { observedAt: at(6) }))
    await database.sql("UPDATE accounts SET source = 'public' WHERE id = $1", [account])
    expect((await figures(tag)).uses).toBe(0)
  })

  it('counts while its account is read or rests, not while it is gone or hidden, and again afterwards', async () => {
    const tag = newTag()
    const workspaceId = await makeWorkspace(database)
    const [account = ''] = await accountsOf(workspaceId, 1)
    await read(workspaceId, postOf(account, [tag]))
    for (const [assignment, uses] of [
      ["status = 'paused'", 1],
      ["status = 'gone'", 0],
      ["status = 'active'", 1],
      ['deleted_at = now()', 0],
      ['deleted_at = NULL', 1],
    ] as const) {
      await database.sql(`UPDATE accounts SET ${assignment} WHERE id = $1`, [account])
      expect((await figures(tag)).uses, assignment).toBe(uses)
    }
  })

  it('stored before posts told where they were read counts again from its next reading on', async () => {
    const tag = newTag()
    const workspaceId = await makeWorkspace(database)
    const [account = ''] = await accountsOf(workspaceId, 1)
    await read(workspaceId, postOf(account, [tag]))
    // As the migration leaves it.
    await database.sql('UPDATE posts SET publicly_read = DEFAULT WHERE account_id = $1', [account])
    expect((await figures(tag)).uses).toBe(0)
    const next = await read(workspaceId, postOf(account, [tag], { observedAt: at(5) }))
    expect((await figures(tag)).uses).toBe(1)
    // Nothing that anybody sees in the workspace has changed.
    expect(next.generation).toBeNull()
  })
})
