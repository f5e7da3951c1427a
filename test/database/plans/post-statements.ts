import {
  listPosts,
  listSnapshots,
  POST_SORTS,
  type PostListQuery,
  selectPost,
} from '../../../src/db/queries/posts.ts'
import { newestPosts } from '../../harness/post-lists.ts'
import type { CatalogueEntry } from './catalogue-entry.ts'
import type { WorkspaceFacts } from './workspace-facts.ts'

const PAGE = 50
const DAY_MS = 86_400_000
/**
 * What filters let through is read up to here before it is walked along the order: some such stretches a page. Less than
 * the most that is ever read (`MOST_OF_SPAN`, and twice `MOST_LOOKED_UP`), which takes more than a million posts.
 */
const BOUNDED_READ = 60_000

/** Every sort with every filter, typical pairs, and pages deep down. */
export function postStatements(facts: WorkspaceFacts): CatalogueEntry[] {
  const { workspaceId, accountIds } = facts
  const middleMs = (Date.parse(facts.oldest) + Date.parse(facts.newest)) / 2
  const around = (days: number) => ({
    from: new Date(middleMs - (days * DAY_MS) / 2).toISOString(),
    until: new Date(middleMs + (days * DAY_MS) / 2).toISOString(),
  })
  const whole = newestPosts(PAGE)
  const ofAccounts = (howMany: number) => ({
    filter: { accounts: accountIds.slice(0, howMany), platforms: [], brands: [] },
  })
  const filters: Record<string, Partial<PostListQuery>> = {
    all: {},
    'one account': ofAccounts(1),
    'some accounts': ofAccounts(10),
    'a platform': { filter: { accounts: [], platforms: ['mastodon'], brands: [] } },
    'a platform without accounts': { filter: { accounts: [], platforms: ['youtube'], brands: [] } },
    'a brand without accounts': { filter: { accounts: [], platforms: [], brands: [workspaceId] } },
    'the usual kind': { kinds: ['post'] },
    'a kind that there is not': { kinds: ['repost'] },
    'a frequent tag': { hashtags: [facts.frequentTag] },
    'a rare tag': { hashtags: [facts.rareTag] },
    'one day': around(1),
    'a month': around(30),
    'a frequent word': { search: facts.frequentWord },
    'a rare word': { search: facts.rareWord },
    'two words': { search: `${facts.rareWord} ${facts.frequentWord}` },
    'a word that there is not': { search: 'xqzzyqx' },
    'one account, one day': { ...ofAccounts(1), ...around(1) },
    'one account, a frequent word': { ...ofAccounts(1), search: facts.frequentWord },
    'one account, a frequent tag': { ...ofAccounts(1), hashtags: [facts.frequentTag] },
    'a month, a frequent word': { ...around(30), search: facts.frequentWord },
    'a month, a frequent tag': { ...around(30), hashtags: [facts.frequentTag] },
    'the usual kind, a month': { ...around(30), kinds: ['post'] },
  }
  /** Filters that are no matter of accounts: how many posts they let through is learnt by reading. */
  const isBounded = (filter: Partial<PostListQuery>) => Object.keys(filter).some((key) => key !== 'filter')
  const mostRead = (filter: Partial<PostListQuery>) =>
    isBounded(filter) ? BOUNDED_READ : 20 * (PAGE + 1) + 10 * accountIds.length
  const ranked = {
    value: `2 ${new Date(middleMs).toISOString()} ${facts.newest}`,
    id: facts.postId,
  }
  const lists = POST_SORTS.flatMap((sort) =>
    Object.entries(filters).flatMap(([name, filter]): CatalogueEntry[] => {
      if (sort === 'relevance' && filter.search === undefined) return []
      const asked: PostListQuery = { ...whole, ...filter, sort }
      const deep = { ...asked, after: sort === 'relevance' ? ranked : facts.positions[sort] }
      return [
        {
          name: `posts by ${sort}: ${name}`,
          of: 'listPosts',
          statement: listPosts(workspaceId, asked),
          mostRead: mostRead(filter),
        },
        {
          name: `posts by ${sort}: ${name}, deep`,
          of: 'listPosts',
          statement: listPosts(workspaceId, deep),
          mostRead: mostRead(filter),
        },
      ]
    }),
  )
  return [
    ...lists,
    { name: 'a post', of: 'selectPost', statement: selectPost(workspaceId, facts.postId), mostRead: 200 },
    {
      name: 'the readings of a post',
      of: 'listSnapshots',
      statement: listSnapshots(workspaceId, facts.postId, null, PAGE),
      mostRead: 20 * PAGE,
    },
    {
      name: 'the readings of a post, deep',
      of: 'listSnapshots',
      statement: listSnapshots(workspaceId, facts.postId, facts.newest, PAGE),
      mostRead: 20 * PAGE,
    },
  ]
}
