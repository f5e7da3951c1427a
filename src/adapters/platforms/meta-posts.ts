import * as z from 'zod'
import type { PlatformLimitName } from '../../domain/platform-limits.ts'
import {
  type AccountRef,
  type BatchScope,
  type ConnectorContext,
  PlatformError,
  type PlatformPost,
  type PostPage,
  type PostRef,
} from '../../ports.ts'
import { momentsOf, readEntries, readKnownPosts } from './entries.ts'
import { Count, chunksOf, distinctBy, LooseList, OptionalText } from './fields.ts'
import type { PlatformAnswer } from './http.ts'
import type { RuleOf } from './limits.ts'
import { graphErrorOf, isParameterError, isRightsError, metaFailure } from './meta-failure.ts'
import { GRAPH_BATCH_SIZE, isGraphData, type MetaGraph } from './meta-graph.ts'

/** Larger pages with insights are more than the platform is willing to compute at once. */
const PAGE_SIZE = 50
const REMEMBER_MS = 3_600_000
const REMEMBERED = 5_000

/** Where the posts of one of Meta's networks are, and how they are read. */
export interface MetaPostsOptions {
  /** What the calls for an account count against. */
  limit: PlatformLimitName
  /** Of the account. */
  edge: 'media' | 'published_posts'
  /** Fields that every post has. */
  fields: string
  /** Those for which the platform may refuse a whole page or post, insights above all. */
  extraFields: string
  isPostId: RegExp
  /** `null` for what is no post for everybody; throws when it is malformed. */
  readPost: (entry: unknown) => PlatformPost | null
}

export interface MetaPosts {
  list(ctx: ConnectorContext, account: AccountRef, cursor: string | null): Promise<PostPage>
  refresh(ctx: ConnectorContext, scope: BatchScope, posts: readonly PostRef[]): Promise<PlatformPost[]>
}

const Page = z.object({
  data: z.array(z.unknown()),
  paging: z
    .object({ cursors: z.object({ after: OptionalText }).catch({ after: null }), next: OptionalText })
    .catch({ cursors: { after: null }, next: null }),
})

const Insights = z.object({ data: LooseList })
const Insight = z.object({
  name: z.string(),
  period: z.literal('lifetime').optional(),
  values: z.array(z.object({ value: Count })).catch([]),
  total_value: z.object({ value: Count }).catch({ value: null }),
})

/** Lifetime figures by the name of the metric; what the platform does not say is missing. */
export function readInsights(insights: unknown): ReadonlyMap<string, number> {
  const figures = new Map<string, number>()
  for (const entry of Insights.safeParse(insights).data?.data ?? []) {
    const insight = Insight.safeParse(entry).data
    const value = insight?.values[0]?.value ?? insight?.total_value.value ?? null
    if (insight !== undefined && value !== null) figures.set(insight.name, value)
  }
  return figures
}

/** Whether the answer refuses the extra fields, or may: without them the same may be read. */
function refusesExtras(answer: PlatformAnswer): boolean {
  const error = graphErrorOf(answer.json)
  return error !== null && (isParameterError(error) || isRightsError(error))
}

/** Lists and refreshes the posts of accounts that are read with tokens of their own. */
export function createMetaPosts(graph: MetaGraph, ruleOf: RuleOf, options: MetaPostsOptions): MetaPosts {
  /** What the extra fields cannot be had of, with the moment from which on to try again. */
  const withoutExtras = new Map<string, number>()
  const lacksExtras = (key: string): boolean => (withoutExtras.get(key) ?? 0) > Date.now()
  const rememberLack = (key: string): void => {
    if (withoutExtras.size >= REMEMBERED) withoutExtras.clear()
    withoutExtras.set(key, Date.now() + REMEMBER_MS)
  }
  /** Posts whose extra fields were refused, and how: whether they are at fault shows when they are left out. */
  const refusals = new Map<string, PlatformAnswer>()
  const rememberRefusal = (id: string, answer: PlatformAnswer): void => {
    if (refusals.size >= REMEMBERED) refusals.clear()
    refusals.set(id, answer)
  }
  const fieldsOf = (extras: boolean): string =>
    extras ? `${options.fields},${options.extraFields}` : options.fields

  async function readPage(
    ctx: ConnectorContext,
    account: AccountRef,
    cursor: string | null,
    extras: boolean,
  ): Promise<PlatformAnswer> {
    return graph.read(ctx, {
      path: `${encodeURIComponent(account.externalId)}/${options.edge}`,
      parameters: {
        fields: fieldsOf(extras),
        limit: String(PAGE_SIZE),
        ...(cursor === null ? {} : { after: cursor }),
      },
      token: graph.tokenOf(ctx),
      operation: 'posts.list',
      items: PAGE_SIZE,
      rules: [ruleOf(options.limit, account.externalId)],
    })
  }

  async function readByIds(
    ctx: ConnectorContext,
    account: AccountRef,
    wanted: readonly { id: string; extras: boolean }[],
  ): Promise<{ id: string; extras: boolean; answer: PlatformAnswer | null }[]> {
    const [only] = wanted
    // What was left open of an account's last batch is mostly one.
    if (only !== undefined && wanted.length === 1)
      return [{ ...only, answer: await readAlone(ctx, account, only) }]
    const answers = await graph.readMany(ctx, {
      requests: wanted.map(({ id, extras }) => `${id}?${new URLSearchParams({ fields: fieldsOf(extras) })}`),
      token: graph.tokenOf(ctx),
      operation: 'posts.refresh',
      items: wanted.length,
      rules: [ruleOf(options.limit, account.externalId, wanted.length)],
    })
    return wanted.map((request, index) => ({ ...request, answer: answers[index] ?? null }))
  }

  async function readAlone(
    ctx: ConnectorContext,
    account: AccountRef,
    { id, extras }: { id: string; extras: boolean },
  ): Promise<PlatformAnswer> {
    return graph.read(ctx, {
      path: id,
      parameters: { fields: fieldsOf(extras) },
      token: graph.tokenOf(ctx),
      operation: 'posts.refresh',
      rules: [ruleOf(options.limit, account.externalId)],
    })
  }

  /**
   * The posts of these ids that are still there. Those of which there is no answer are left open, and so are
   * those whose extra fields are refused: the next call for them asks for the others alone. That they are asked
   * for again with others, instead of at once, keeps calls full.
   */
  async function readBatch(
    ctx: ConnectorContext,
    account: AccountRef,
    ids: readonly string[],
  ): Promise<unknown[]> {
    const lacksAll = lacksExtras(account.externalId)
    const wanted = ids.map((id) => ({ id, extras: !lacksAll && !lacksExtras(id) && !refusals.has(id) }))
    const entries: unknown[] = []
    const open: string[] = []
    let failure: PlatformError | null = null
    for (const { id, extras, answer } of await readByIds(ctx, account, wanted)) {
      if (answer !== null && isGraphData(answer)) {
        entries.push(answer.json)
        const refused = refusals.get(id)
        if (refused !== undefined) rememberLackOf(refused, account, id)
      } else if (answer !== null && extras && refusesExtras(answer)) {
        rememberRefusal(id, answer)
        open.push(id)
        continue
      } else {
        const failed = failureOf(answer)
        // Of the account or of us, not of the post.
        if (failed.kind === 'rate_limited' || failed.kind === 'auth') throw failed
        // Only what the platform says is gone may be missing: anything else would pass for deleted.
        if (failed.kind !== 'gone') {
          failure ??= failed
          open.push(id)
        }
      }
      refusals.delete(id)
    }
    if (failure !== null && open.length === ids.length) throw failure
    for (const id of open) ctx.leaveOpen(id)
    return entries
  }

  function failureOf(answer: PlatformAnswer | null): PlatformError {
    if (answer !== null) return metaFailure(answer, graph.who)
    return new PlatformError('transient', `${graph.who} did not answer for every post in time.`)
  }

  /** Rights are lacking for all posts of an account, a metric for one. */
  function rememberLackOf(refused: PlatformAnswer, account: AccountRef, key: string): void {
    const error = graphErrorOf(refused.json)
    rememberLack(error !== null && isRightsError(error) ? account.externalId : key)
  }

  return {
    async list(ctx, account, cursor) {
      const listKey = `${account.externalId}/${options.edge}`
      const extras = !lacksExtras(listKey) && !lacksExtras(account.externalId)
      let answer = await readPage(ctx, account, cursor, extras)
      if (extras && refusesExtras(answer)) {
        const refused = answer
        answer = await readPage(ctx, account, cursor, false)
        if (isGraphData(answer)) rememberLackOf(refused, account, listKey)
      }
      const { data, paging } = graph.dataOf(answer, Page)
      const { after } = paging.cursors
      return {
        posts: distinctBy(readEntries(ctx, data, graph.who, options.readPost), (post) => post.platformPostId),
        // A cursor that stands still would be followed for ever.
        nextCursor: paging.next === null || after === '' || after === cursor ? null : after,
      }
    },

    async refresh(ctx, { account }, known) {
      const wanted = momentsOf(known.filter(({ id }) => options.isPostId.test(id)))
      if (wanted.size === 0) return []
      if (account === null)
        throw new PlatformError('bad_request', `Posts of ${graph.who} are read account by account.`)
      const posts: PlatformPost[] = []
      for (const batch of chunksOf([...wanted], GRAPH_BATCH_SIZE)) {
        const ids = batch.map(([id]) => id)
        const entries = await readBatch(ctx, account, ids)
        posts.push(...readKnownPosts(ctx, entries, graph.who, new Map(batch), options.readPost))
      }
      return distinctBy(posts, (post) => post.platformPostId)
    },
  }
}
