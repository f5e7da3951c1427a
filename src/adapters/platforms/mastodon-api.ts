import * as z from 'zod'
import { hostReach } from '../../lib/ip-address.ts'
import { type AccessToken, type CallOperation, type ConnectorContext, PlatformError } from '../../ports.ts'
import { callPlatform, failureOf, isData, type PlatformAnswer } from './http.ts'
import type { RuleOf } from './limits.ts'

/** Parameters of a call; a name may come more than once. */
export type Parameters = readonly (readonly [name: string, value: string])[]

type Kind = 'accounts' | 'statuses'
const OPERATIONS = { accounts: 'profiles.read', statuses: 'posts.refresh' } as const

export interface MastodonCall {
  path: string
  parameters: Parameters
  operation: CallOperation
  items?: number
  /** Whether it asks for an older page, which counts against an allowance of its own as well. */
  isPaged?: boolean
}

export interface MastodonApi {
  /** Makes one call to a server and gives its answer whatever its status. */
  get(ctx: ConnectorContext, host: string, call: MastodonCall): Promise<PlatformAnswer>
  /**
   * The objects of a kind that a server has among these ids. Servers that cannot be asked for many at
   * once (Mastodon before 4.3, and other software) are asked for one after the other.
   */
  getMany(ctx: ConnectorContext, host: string, kind: Kind, ids: readonly string[]): Promise<unknown[]>
}

export interface MastodonApiOptions {
  /** Servers in private networks are called over http. */
  allowHttp: boolean
  userAgent: string
  ruleOf: RuleOf
}

/** What shares an allowance: all callers without a token, or one token. */
function sharedBy(host: string, token?: AccessToken): string {
  return token === undefined ? host : `${host}:token:${token.allowance}`
}

/** The token that is for a host: it goes to the one that issued it, and to no other. */
function tokenFor(ctx: ConnectorContext, host: string): AccessToken | undefined {
  return ctx.accessToken?.host === host ? ctx.accessToken : undefined
}

const ErrorBody = z.object({ error: z.string().min(1) })

/** The error of an answer that is no success. */
export function mastodonFailure(ctx: ConnectorContext, answer: PlatformAnswer, host: string): PlatformError {
  if (tokenFor(ctx, host) !== undefined) return tokenFailure(answer, host)
  if (answer.status === 401)
    return new PlatformError('auth', `The server ${host} needs a token to show its posts.`, { status: 401 })
  return failureOf(answer, `The server ${host}`, ErrorBody.safeParse(answer.json).data?.error)
}

/** The same where a token was sent. What the server says is not quoted: it might repeat the token. */
function tokenFailure(answer: PlatformAnswer, host: string): PlatformError {
  const { status } = answer
  if (status === 401) {
    const message = `The server ${host} does not accept the access token (any more): store a new one.`
    return new PlatformError('auth', message, { status })
  }
  // A page instead of JSON comes from somebody before the server, and is not about the token.
  if (status === 403 && answer.json !== undefined) {
    const message = `The server ${host} does not let the access token read: it lacks a scope, or its user the right.`
    return new PlatformError('auth', message, { status })
  }
  return failureOf(answer, `The server ${host}`)
}

/** Whether the answer says that the server has no such thing, or no such call. */
export function isAbsent(answer: PlatformAnswer): boolean {
  const { status } = answer
  return [400, 404, 405, 406, 410, 501].includes(status) || (status < 300 && answer.json === undefined)
}

const REMEMBER_MS = 86_400_000
const REMEMBERED_HOSTS = 1_000

/** Calls Mastodon servers, and whatever else speaks their API. */
export function createMastodonApi(options: MastodonApiOptions): MastodonApi {
  /** Hosts that take one id at a time, with the moment from which on to try again. */
  const singleOnly = new Map<string, number>()

  async function get(ctx: ConnectorContext, host: string, call: MastodonCall): Promise<PlatformAnswer> {
    const { path, parameters, operation, items = 1, isPaged = false } = call
    const base = URL.parse(`https://${host}/`)
    if (base === null || base.host !== host)
      throw new PlatformError('bad_request', 'This is not the name of a server.')
    if (options.allowHttp && hostReach(base.hostname) === 'private') base.protocol = 'http:'
    const url = new URL(path, base)
    for (const [name, value] of parameters) url.searchParams.append(name, value)
    const token = tokenFor(ctx, host)
    const rule = options.ruleOf('mastodon.calls', sharedBy(host, token))
    const rules = isPaged ? [options.ruleOf('mastodon.pages', sharedBy(host, token)), rule] : [rule]
    return callPlatform(ctx, {
      url: url.href,
      operation,
      items,
      server: host,
      rules,
      userAgent: options.userAgent,
      ...(token === undefined ? {} : { accessToken: token.value }),
    })
  }

  /** The object, or `null` when the server does not have it. */
  async function getOne(ctx: ConnectorContext, host: string, kind: Kind, id: string): Promise<unknown> {
    const path = `/api/v1/${kind}/${encodeURIComponent(id)}`
    const answer = await get(ctx, host, { path, parameters: [], operation: OPERATIONS[kind] })
    if (isData(answer)) return answer.json
    const failure = mastodonFailure(ctx, answer, host)
    if (failure.kind === 'gone') return null
    throw failure
  }

  async function getEach(
    ctx: ConnectorContext,
    host: string,
    kind: Kind,
    ids: readonly string[],
  ): Promise<unknown[]> {
    const found: unknown[] = []
    // One after the other: a Worker has six connections, and a small server deserves patience.
    for (const id of ids) {
      const object = await getOne(ctx, host, kind, id)
      if (object !== null) found.push(object)
    }
    return found
  }

  return {
    get,

    async getMany(ctx, host, kind, ids) {
      const [first] = ids
      if (first === undefined) return []
      const key = `${kind} ${host}`
      if ((singleOnly.get(key) ?? 0) > Date.now()) return getEach(ctx, host, kind, ids)

      const answer = await get(ctx, host, {
        path: `/api/v1/${kind}`,
        parameters: ids.map((id) => ['id[]', id]),
        operation: OPERATIONS[kind],
        items: ids.length,
      })
      if (!isData(answer) && !isAbsent(answer)) throw mastodonFailure(ctx, answer, host)
      if (isData(answer) && Array.isArray(answer.json)) {
        const found: unknown[] = answer.json
        if (found.length > 0) return found
        // Nothing at all: everything is gone, or the server does not know the parameter. One of them tells.
        if ((await getOne(ctx, host, kind, first)) === null) return []
      }
      const each = await getEach(ctx, host, kind, ids)
      if (singleOnly.size >= REMEMBERED_HOSTS) singleOnly.clear()
      singleOnly.set(key, Date.now() + REMEMBER_MS)
      return each
    },
  }
}
