import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../harness/database.ts'
import { makeAccount, makeWorkspace } from '../harness/factories.ts'
import { type AppConnection, connectAsApp } from './as-app.ts'

let database: TestDatabase
let app: AppConnection
const workspaceIds: string[] = []
let accountIds: string[]
beforeAll(async () => {
  database = await createTestDatabase()
  workspaceIds.push(await makeWorkspace(database), await makeWorkspace(database))
  accountIds = await Promise.all(workspaceIds.map((id) => makeAccount(database, id)))
  await database.sql(
    `INSERT INTO posts (id, workspace_id, account_id, platform, platform_post_id, kind, posted_at, likes, followers_at_posting)
     SELECT uuidv7(), a.workspace_id, a.id, a.platform, n, 'post', '2026-03-01', NULLIF(n, 0), n * 100
     FROM accounts a, generate_series(0, 2) n`,
  )
  app = await connectAsApp(database)
})
afterAll(async () => {
  await app.end()
  await database.close()
})

/** The figures of every post there is, of every account, as a workspace is told them. */
async function figuresIn(workspaceId: string | null, sortedBy: string) {
  const posts = await database.sql<{ id: string; account_id: string }>('SELECT id, account_id FROM posts')
  const accountOf = new Map(posts.map((post) => [post.id, post.account_id]))
  const { rows } = await app.run(
    { workspaceId },
    `SELECT f.post_id, f.figure, f.rate FROM app_figures_of_posts($1::uuid[], $2::uuid[], '{}', NULL, NULL, $3) f
     ORDER BY f.figure, f.rate`,
    [[...accountOf.keys()], accountIds, sortedBy],
  )
  return rows.map(({ post_id, figure, rate }) => ({ account_id: accountOf.get(post_id), figure, rate }))
}

describe('figures of posts', () => {
  it('are told of the workspace’s own posts alone, -1 where they are unknown', async () => {
    for (const [i, workspaceId] of workspaceIds.entries()) {
      const told = (figure: string, rate: number) => ({ account_id: accountIds[i], figure, rate })
      expect(await figuresIn(workspaceId, 'likes')).toEqual([
        told('-1', -1),
        told('1', 0.01),
        told('2', 0.01),
      ])
      expect(await figuresIn(workspaceId, 'views')).toEqual([
        told('-1', -1),
        told('-1', 0.01),
        told('-1', 0.01),
      ])
    }
  })

  it('are told to nobody outside of a workspace', async () => {
    expect(await figuresIn(null, 'likes')).toEqual([])
  })
})
