import { type AccountTruth, truthOf } from '../../scripts/local/platforms/truth.ts'
import type { Account as Person } from '../../scripts/local/platforms/types.ts'
import type { World } from '../../scripts/local/platforms/world.ts'
import { POST_METRICS } from '../../src/domain/platforms.ts'
import type { TestStack } from '../harness/stack.ts'
import { asNumber, METRIC_COLUMNS, shownAt, shownPost, shownProfile } from '../sync/shown.ts'
import { type Check, compareLists, fieldsThatDiffer, together } from './check.ts'

interface StoredPost extends Record<string, unknown> {
  id: string
  kind: string
  text: string | null
  posted_at: Date
  is_deleted: boolean
}

/** Every account, post, text and deletion, against what the platforms know at the moment that they show. */
export async function checkAccounts(stack: TestStack, atMs: number): Promise<Check[]> {
  const { world } = stack.platforms
  const checks: Check[] = []
  for (const person of world.accounts()) {
    const truth = truthOf(world, person, atMs)
    const posts = await storedPosts(stack, person)
    checks.push(
      await checkAccount(stack, truth),
      checkPosts(truth, posts),
      checkTexts(world, truth, posts),
      checkDeletions(truth, posts),
      checkReposts(world, person, { truth, posts, atMs }),
    )
  }
  return together(checks)
}

function storedPosts(stack: TestStack, { id }: Person): Promise<StoredPost[]> {
  return stack.ownerSql<StoredPost>(
    `SELECT p.platform_post_id AS id, p.kind, p.text, p.posted_at, p.deleted_at IS NOT NULL AS is_deleted,
       ${METRIC_COLUMNS}, p.engagements,
       ARRAY(SELECT h.tag FROM post_hashtags h WHERE h.post_id = p.id ORDER BY h.tag COLLATE "C") AS tags
     FROM posts p JOIN accounts a ON a.id = p.account_id WHERE a.external_id = $1`,
    [id],
  )
}

async function checkAccount(stack: TestStack, { account }: AccountTruth): Promise<Check> {
  const rows = await stack.ownerSql<Record<string, unknown>>(
    `SELECT display_name, followers, following, posts, status, stale_reason,
       backfilled_at IS NOT NULL AS is_complete FROM accounts WHERE external_id = $1`,
    [account.id],
  )
  const expected = { ...shownProfile(account), status: 'active', stale_reason: null, is_complete: true }
  const differences = rows.flatMap((row) => {
    const counts = Object.fromEntries(['followers', 'following', 'posts'].map((n) => [n, asNumber(row[n])]))
    return fieldsThatDiffer({ ...row, ...counts }, expected).map((one) => `${account.handle}: ${one}`)
  })
  if (rows.length !== 1) differences.push(`${account.handle} is there ${rows.length} times`)
  return { what: 'accounts, with name and counts', compared: 1, differences }
}

const isThere = ({ deletedAt }: AccountTruth['posts'][number]) => deletedAt === null

function checkPosts({ account, posts: truth }: AccountTruth, posts: readonly StoredPost[]): Check {
  return compareLists<Record<string, unknown>>('posts, with every count and hashtag', {
    keyOf: (post) => `${account.platform} ${post.id}`,
    expected: truth.filter(isThere).map((post) => shownPost(account.platform, post)),
    stored: posts
      .filter(({ kind, is_deleted }) => kind !== 'repost' && !is_deleted)
      .map((post) => ({
        ...post,
        ...Object.fromEntries([...POST_METRICS, 'engagements'].map((name) => [name, asNumber(post[name])])),
      })),
  })
}

function checkTexts(
  world: World,
  { account, posts: truth }: AccountTruth,
  posts: readonly StoredPost[],
): Check {
  const stored = new Map(posts.map(({ id, text }) => [id, text]))
  const differences = truth.filter(isThere).flatMap((post) => {
    const warning = world.post(account.platform, post.id)?.contentWarning ?? ''
    const parts = [post.title ?? '', warning, post.text].filter((part) => part !== '')
    const [is, shouldBe] = [stored.get(post.id)?.trim(), parts.join('\n\n').trim()]
    return is === shouldBe
      ? []
      : [`${account.platform} ${post.id}: ${JSON.stringify(is)}, not ${JSON.stringify(shouldBe)}`]
  })
  return { what: 'texts', compared: truth.filter(isThere).length, differences }
}

/** What was deleted is stored as such, or was never seen. */
function checkDeletions({ account, posts: truth }: AccountTruth, posts: readonly StoredPost[]): Check {
  const stored = new Map(posts.map((post) => [post.id, post.is_deleted]))
  const deleted = truth.filter((post) => !isThere(post))
  const gone = new Set(deleted.map(({ id }) => id))
  const missed = deleted.filter(({ id }) => stored.get(id) === false)
  const invented = posts.filter(({ id, is_deleted }) => is_deleted && !gone.has(id))
  return {
    what: 'deletions',
    compared: deleted.length,
    differences: [
      ...missed.map(({ id }) => `${account.platform} ${id} is taken to be there`),
      ...invented.map(({ id }) => `${account.platform} ${id} is taken for deleted`),
    ],
  }
}

/** Those that can be seen have to be there; those of posts that are gone may be, from before. */
function checkReposts(
  world: World,
  person: Person,
  { truth, posts, atMs }: { truth: AccountTruth; posts: readonly StoredPost[]; atMs: number },
): Check {
  const { platform } = person
  const stored = posts.filter(({ kind }) => kind === 'repost').map(({ posted_at }) => posted_at.toISOString())
  const isRepost = ({ kind }: { kind: string }) => kind === 'repost'
  const seen = world.posts(person, { t: atMs, limit: Number.POSITIVE_INFINITY, where: isRepost })
  const visible = seen.map(({ at }) => shownAt(platform, new Date(at).toISOString()))
  const known = new Set(truth.reposts.map(({ at }) => shownAt(platform, at)))
  return {
    what: 'reposts',
    compared: visible.length,
    differences: [
      ...visible.filter((at) => !stored.includes(at)).map((at) => `${person.handle}: none of ${at}`),
      ...stored.filter((at) => !known.has(at)).map((at) => `${person.handle}: nobody made one at ${at}`),
    ],
  }
}
