import * as z from 'zod'
import { type CallOperation, type ConnectorContext, type PaidRead, PlatformError } from '../../ports.ts'
import { distinctBy, LooseList } from './fields.ts'
import {
  callPlatform,
  failureOf,
  isData,
  type PlatformAnswer,
  readRateSignal,
  readRetryAfterMs,
  shorten,
} from './http.ts'
import type { RuleOf } from './limits.ts'

export const WHO = 'X'

/** What a read costs, in millionths of a dollar; the same object is charged once within a UTC day. */
export const PRICE_MICROS = { post: 5_000, user: 10_000 } as const
type Paid = keyof typeof PRICE_MICROS

const OUT_OF_CREDIT_MS = 3_600_000
/** The month's cap is reached: it may be raised, and no sooner than that is there any use in asking. */
const CAPPED_MS = 6 * 3_600_000
/** A token that is refused is the app's, not an account's: an operator renews it, and reading goes on. */
const BAD_TOKEN_MS = 900_000

/**
 * X is renaming tweets to posts, parameters and all; which names are taken where is not documented. Answers
 * are read in both spellings (`x-post.ts`).
 */
const SPELLINGS = {
  tweet: {
    parameter: 'tweet.fields',
    fields:
      'attachments,created_at,entities,in_reply_to_user_id,note_tweet,public_metrics,referenced_tweets,text',
    expansions: 'attachments.media_keys',
    /** Posts that may come, and be charged, for each one asked for. */
    postsEach: 1,
  },
  post: {
    parameter: 'post.fields',
    fields: 'attachments,created_at,entities,note_post,public_metrics,text',
    // What a post refers to is no field here: it is named only where it comes along, and is charged.
    expansions: 'attachments.media_keys,referenced_posts',
    postsEach: 3,
  },
} as const
type Spelling = keyof typeof SPELLINGS

const FIRST_SPELLING: Spelling = 'tweet'
const MEDIA_FIELDS = 'alt_text,media_key,preview_image_url,type,url'
const USER_FIELDS = 'name,profile_image_url,protected,public_metrics,username'

const Problem = z.object({
  type: z.string().catch(''),
  title: z.string().catch(''),
  detail: z.string().catch(''),
  resource_type: z.string().catch(''),
})
type Problem = z.infer<typeof Problem>

const Identified = z.object({ id: z.string().min(1) })
const OneOrMany = z.union([z.array(z.unknown()), z.unknown().transform((one) => [one])])
const Charged = z.object({
  data: OneOrMany,
  includes: z
    .object({ posts: LooseList, tweets: LooseList, users: LooseList })
    .catch({ posts: [], tweets: [], users: [] }),
})

interface XApiOptions {
  /** The app's own; it opens what is public. */
  bearerToken: string
  /** Base address of the API, without `/2` and without a slash at the end. */
  apiUrl: string
  userAgent: string
  ruleOf: RuleOf
}

export interface XCall {
  /** Without `/2`: `/users`. */
  path: string
  parameters: [string, string][]
  operation: CallOperation
  /** Most objects that can come. */
  items: number
}

interface XApi {
  /** Asks for users; throws the `PlatformError` of an answer that is no success. */
  readUsers<T>(ctx: ConnectorContext, call: XCall, schema: z.ZodType<T>): Promise<T>
  /** Asks for posts by their ids or of a timeline, in the spelling that X takes. */
  readPosts<T>(
    ctx: ConnectorContext,
    call: XCall & { limit: 'x.posts' | 'x.timelines' },
    schema: z.ZodType<T>,
  ): Promise<T>
}

/** Calls X with the app's token, and says of each answer what it costs. */
export function createXApi(options: XApiOptions): XApi {
  const { bearerToken, apiUrl, userAgent, ruleOf } = options
  /** The one that X took last; kept as long as the isolate lives. */
  let spelling: Spelling = FIRST_SPELLING

  async function ask(
    ctx: ConnectorContext,
    call: XCall,
    limit: 'x.posts' | 'x.timelines' | 'x.users',
    paid: Paid,
    mostObjects: number,
  ): Promise<PlatformAnswer> {
    const url = new URL(`${apiUrl}/2${call.path}`)
    for (const [name, value] of call.parameters) url.searchParams.set(name, value)
    return callPlatform(ctx, {
      url: url.href,
      operation: call.operation,
      items: call.items,
      rules: [ruleOf(limit)],
      userAgent,
      accessToken: bearerToken,
      mostCostMicros: mostObjects * PRICE_MICROS[paid],
      paidReads: (json) => paidReadsOf(json, paid),
      readSignal: (headers) => readRateSignal(usualHeaders(headers)),
      readRefusalMs,
    })
  }

  const askPosts: (name: Spelling, ...request: Parameters<XApi['readPosts']>) => Promise<PlatformAnswer> = (
    name,
    ctx,
    call,
  ) => {
    const { parameter, fields, expansions, postsEach } = SPELLINGS[name]
    const parameters: [string, string][] = [
      ...call.parameters,
      [parameter, fields],
      ['expansions', expansions],
      ['media.fields', MEDIA_FIELDS],
    ]
    return ask(ctx, { ...call, parameters }, call.limit, 'post', call.items * postsEach)
  }

  return {
    async readUsers(ctx, call, schema) {
      const parameters: [string, string][] = [...call.parameters, ['user.fields', USER_FIELDS]]
      return read(await ask(ctx, { ...call, parameters }, 'x.users', 'user', call.items), schema)
    },

    async readPosts(ctx, call, schema) {
      const tried = spelling
      const answer = await askPosts(tried, ctx, call, schema)
      if (!isMisspelt(answer, tried)) return read(answer, schema)
      const other: Spelling = tried === 'tweet' ? 'post' : 'tweet'
      const second = await askPosts(other, ctx, call, schema)
      if (isData(second) && !isMisspelt(second, other)) spelling = other
      return read(second, schema)
    },
  }
}

function read<T>(answer: PlatformAnswer, schema: z.ZodType<T>): T {
  if (!isData(answer)) throw xFailure(answer)
  const data = schema.safeParse(answer.json)
  if (data.success) return data.data
  throw new PlatformError('bad_answer', `The answer of ${WHO} could not be understood.`, {
    cause: data.error,
  })
}

/**
 * Whether X does not know the parameter by this name. It says so, or, as with every name that it does not know
 * within a parameter, says nothing and leaves out what was asked for.
 */
function isMisspelt(answer: PlatformAnswer, name: Spelling): boolean {
  const { status, json } = answer
  if (status === 400) {
    const said = JSON.stringify(json ?? '')
    const names = [SPELLINGS[name].parameter, `note_${name}`, `referenced_${name}s`]
    return typeOf(problemOf(json)) === 'invalid-request' && names.some((word) => said.includes(word))
  }
  const posts = z.object({ data: z.array(z.looseObject({})) }).safeParse(json).data?.data ?? []
  return isData(answer) && posts.length > 0 && posts.every((post) => post.created_at === undefined)
}

/** Every post and user in an answer: what was asked for, and what came along. */
function paidReadsOf(json: unknown, kind: Paid): PaidRead[] {
  const answer = Charged.safeParse(json).data
  if (answer === undefined) return []
  const { data, includes } = answer
  const chargesOf = (paid: Paid, objects: unknown[]): PaidRead[] =>
    objects.flatMap((object) => {
      const { id } = Identified.safeParse(object).data ?? {}
      return id === undefined ? [] : [{ object: `${paid}:${id}`, costMicros: PRICE_MICROS[paid] }]
    })
  const charges = [
    ...chargesOf(kind, data),
    ...chargesOf('post', [...includes.tweets, ...includes.posts]),
    ...chargesOf('user', includes.users),
  ]
  return distinctBy(charges, ({ object }) => object)
}

/** The headers under their usual names: X writes `x-rate-limit-…`. */
function usualHeaders(headers: Headers): Headers {
  const usual = new Headers(headers)
  for (const name of ['limit', 'remaining', 'reset']) {
    const value = headers.get(`x-rate-limit-${name}`)
    if (value !== null) usual.set(`x-ratelimit-${name}`, value)
  }
  return usual
}

function problemOf(json: unknown): Problem {
  return Problem.safeParse(json).data ?? { type: '', title: '', detail: '', resource_type: '' }
}

/** The last part of the address that stands for a kind of problem; its host has changed over the years. */
function typeOf(problem: Problem): string {
  return problem.type.split('/').at(-1) ?? ''
}

function isCapped(answer: PlatformAnswer): boolean {
  return answer.status >= 400 && answer.status < 500 && typeOf(problemOf(answer.json)) === 'usage-capped'
}

function readRefusalMs(answer: PlatformAnswer): number | null {
  if (answer.status === 402) return OUT_OF_CREDIT_MS
  if (isCapped(answer)) return CAPPED_MS
  return answer.status === 429 ? readRetryAfterMs(usualHeaders(answer.headers)) : null
}

/** The error of an answer by X's own names for it, else by its status. */
function xFailure(answer: PlatformAnswer): PlatformError {
  const { status } = answer
  const problem = problemOf(answer.json)
  if (status === 402)
    return new PlatformError('budget_spent', `The credits for reading ${WHO} are used up.`, {
      status,
      retryAfterMs: OUT_OF_CREDIT_MS,
    })
  if (isCapped(answer))
    return new PlatformError('budget_spent', `The month's reads of ${WHO} are used up.`, {
      status,
      retryAfterMs: CAPPED_MS,
    })
  if (status === 401)
    return new PlatformError('auth', `${WHO} does not accept the token of this deployment's app.`, {
      status,
      retryAfterMs: BAD_TOKEN_MS,
    })
  if (status === 403 || status === 404) {
    const known = knownProblem(problem)
    if (known !== null) return known
    if (typeOf(problem) === 'client-forbidden')
      return new PlatformError(
        'permission',
        `The plan of this deployment's app at ${WHO} does not allow this.`,
        {
          status,
        },
      )
    // X answers 200 for what is not there: this is no address of its API.
    if (status === 404 && answer.json !== undefined)
      return new PlatformError('bad_answer', `${WHO} does not know this call (HTTP 404).`, { status })
  }
  const said = problem.title === '' ? undefined : problem.title
  return failureOf({ ...answer, headers: usualHeaders(answer.headers) }, WHO, said)
}

/** What X says of an account that it does not show; `null` when it says something else. */
function knownProblem(problem: Problem): PlatformError | null {
  if (/\bsuspended\b/iu.test(problem.detail))
    return new PlatformError('gone', `This account is suspended on ${WHO}.`)
  switch (typeOf(problem)) {
    case 'resource-not-found':
      return new PlatformError('gone', `There is no such account on ${WHO}.`)
    case 'resource-unavailable':
      return new PlatformError('gone', `This account is not available on ${WHO}.`)
    case 'not-authorized-for-resource':
      return protectedAccount()
    default:
      return null
  }
}

/** The error of an account whose posts are for its followers alone. */
export function protectedAccount(): PlatformError {
  return new PlatformError(
    'permission',
    'This account is protected: only followers that it approved see its posts.',
  )
}

/**
 * The problem with an account, from the `errors` of an answer that is otherwise a success; `null`: none. What
 * they say of posts is left out.
 */
export function accountProblem(errors: readonly unknown[]): PlatformError | null {
  const problem = errors.map(problemOf).find(({ resource_type }) => ['user', ''].includes(resource_type))
  if (problem === undefined) return null
  const said = problem.title === '' ? '' : `: ${shorten(problem.title)}`
  return knownProblem(problem) ?? new PlatformError('transient', `${WHO} could not show this account${said}.`)
}
