import * as z from 'zod'
import { type AccessToken, type CallOperation, type ConnectorContext, PlatformError } from '../../ports.ts'
import { readNoting } from './entries.ts'
import { callPlatform, failureOf, isData, type PlatformAnswer } from './http.ts'
import type { RuleOf } from './limits.ts'

export const WHO = 'LinkedIn'

/** The version of the API that is spoken here. LinkedIn retires each after about a year, with status 426. */
export const LINKEDIN_VERSION = '202608'

export interface LinkedInApiOptions {
  /** Base address of the API, without a slash at the end. */
  apiUrl: string
  userAgent: string
  ruleOf: RuleOf
}

export interface LinkedInCall {
  /** Within the versioned API: `/posts`. */
  path: string
  /** Already encoded; see `encodeList`. */
  query?: string
  /** Rest.li's name for the kind of request, where the address alone does not tell. */
  restMethod?: 'FINDER' | 'BATCH_GET'
  operation: CallOperation
  items?: number
}

/** What calls are made with: a token and, where it is known, whose allowance they count against. */
export type LinkedInToken = Pick<AccessToken, 'value'> & { allowance?: string }

export interface LinkedInApi {
  /** Makes a call and reads its answer; throws the `PlatformError` of one that is no success. */
  read<T>(ctx: ConnectorContext, token: LinkedInToken, call: LinkedInCall, schema: z.ZodType<T>): Promise<T>
}

/** The page that Rest.li gives of a list. */
export const Elements = z.object({
  elements: z.array(z.unknown()),
  paging: z
    .object({
      count: z.int().positive().nullable().catch(null),
      links: z.array(z.object({ rel: z.string().catch('') })).catch([]),
    })
    .catch({ count: null, links: [] }),
})

/** What Rest.li gives of many ids: what it has by id, and what it says of the others. */
export const Batch = z.object({
  results: z.record(z.string(), z.unknown()),
  errors: z.record(z.string(), z.unknown()).catch({}),
})

/** One value as it stands in an address: also what Rest.li's own syntax would read is escaped. */
export function encodeValue(value: string): string {
  return encodeURIComponent(value).replace(
    /[()']/gu,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}

/** Values as a list: each encoded, the parentheses and commas not. */
export function encodeList(values: readonly string[]): string {
  return `List(${values.map(encodeValue).join(',')})`
}

/** Milliseconds until quotas begin anew, which they do at midnight UTC. */
export function msUntilQuotaReset(nowMs: number): number {
  const DAY_MS = 86_400_000
  return DAY_MS - (nowMs % DAY_MS)
}

/** The error of an answer that is no success. Messages are not quoted: they might repeat what was sent. */
function linkedinFailure(answer: PlatformAnswer): PlatformError {
  const { status } = answer
  switch (status) {
    case 429:
      return new PlatformError('rate_limited', `${WHO} allows no more calls today.`, {
        status,
        retryAfterMs: msUntilQuotaReset(Date.now()),
      })
    case 401:
      return new PlatformError('auth', `${WHO} no longer lets us read this page: sign in again.`, { status })
    case 426:
      // Nothing is wrong with the account: it is read again once this deployment is up to date.
      return new PlatformError(
        'bad_answer',
        `${WHO} has retired version ${LINKEDIN_VERSION} of its API: this deployment needs an update.`,
        { status },
      )
    case 403:
      if (answer.json !== undefined)
        return new PlatformError(
          'permission',
          `${WHO} does not let this sign-in read the page: it takes one of its administrators, and all that is asked for.`,
          { status },
        )
  }
  return failureOf(answer, WHO)
}

/** How long a refusal lasts, for the shared accounting; `null` where there was none. */
function readRefusalMs(answer: PlatformAnswer): number | null {
  return answer.status === 429 ? msUntilQuotaReset(Date.now()) : null
}

/** Calls the versioned API. */
export function createLinkedInApi({ apiUrl, userAgent, ruleOf }: LinkedInApiOptions): LinkedInApi {
  return {
    async read(ctx, token, call, schema) {
      const { path, query, restMethod, operation, items = 1 } = call
      // A member's quota is the smaller one. What is refused counts against the first: nobody else waits.
      const member = token.allowance === undefined ? [] : [ruleOf('linkedin.member', token.allowance)]
      const answer = await callPlatform(ctx, {
        url: `${apiUrl}/rest${path}${query === undefined ? '' : `?${query}`}`,
        headers: {
          'linkedin-version': LINKEDIN_VERSION,
          'x-restli-protocol-version': '2.0.0',
          ...(restMethod === undefined ? {} : { 'x-restli-method': restMethod }),
        },
        operation,
        items,
        rules: [...member, ruleOf('linkedin.app')],
        userAgent,
        accessToken: token.value,
        readRefusalMs,
      })
      if (!isData(answer)) throw linkedinFailure(answer)
      const data = readNoting(ctx, answer.json, () => schema.safeParse(answer.json))
      if (data.success) return data.data
      throw new PlatformError('bad_answer', `The answer of ${WHO} to ${path} could not be understood.`, {
        cause: data.error,
      })
    },
  }
}
