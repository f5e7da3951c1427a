import * as z from 'zod'
import {
  type AccountProfile,
  type CallOperation,
  type ConnectorContext,
  type GrantedAccount,
  type OAuthFlow,
  PlatformError,
  type TokenGrant,
} from '../../ports.ts'
import { readEntries } from './entries.ts'
import { distinctBy, LooseList, OptionalText } from './fields.ts'
import type { RuleOf } from './limits.ts'
import { graphErrorOf, isParameterError, metaFailure } from './meta-failure.ts'
import { GRAPH_VERSION, isGraphData, type MetaGraph } from './meta-graph.ts'

/** A user token lives for 60 days; those of pages, which accounts are read with, do not end. */
const REFRESH_AHEAD_MS = 7 * 86_400_000
const PAGE_SIZE = 100
/** Keeps an answer that repeats itself from being followed for ever. */
const MAX_PAGES = 20
/** The codes of "the client secret is wrong" and "there is no such app". */
const APP_ERRORS: ReadonlySet<number> = new Set([1, 101])

export interface MetaOAuthOptions {
  app: { id: string; secret: string }
  /** Where people sign in, without a slash at the end. */
  siteUrl: string
  graph: MetaGraph
  ruleOf: RuleOf
  /** Without these nothing can be read. */
  neededScopes: readonly string[]
  /** Without these some figures are missing. */
  wantedScopes: readonly string[]
  /** What to ask of each page that the person has a role on. */
  pageFields: string
  /** The account that a page stands for; `null` where it has none of the kind, throws when it is malformed. */
  readPageAccount: (page: unknown) => AccountProfile | null
}

const Token = z.object({
  access_token: z.string().min(1),
  expires_in: z.int().positive().nullable().catch(null),
})
const Permissions = z.object({ data: LooseList })
const Permission = z.object({ permission: z.string(), status: z.string() })
const Pages = z.object({
  data: z.array(z.unknown()),
  paging: z
    .object({ cursors: z.object({ after: OptionalText }).catch({ after: null }), next: OptionalText })
    .catch({ cursors: { after: null }, next: null }),
})
const PageToken = z.object({ access_token: z.string().min(1).nullable().catch(null) })

/**
 * Facebook Login: the code gives a token of an hour, that gives one of 60 days, and that one for each page
 * that does not end.
 */
export function createMetaOAuth(options: MetaOAuthOptions): OAuthFlow {
  const { app, siteUrl, graph, ruleOf, neededScopes, wantedScopes } = options
  const rules = (): [ReturnType<RuleOf>] => [ruleOf('meta.user')]

  async function askToken(
    ctx: ConnectorContext,
    operation: CallOperation,
    parameters: Record<string, string>,
  ): Promise<z.infer<typeof Token>> {
    // In a form, as addresses are written into logs.
    const form = { client_id: app.id, client_secret: app.secret, ...parameters }
    const answer = await graph.send(ctx, { path: 'oauth/access_token', form, operation, rules: rules() })
    const error = graphErrorOf(answer.json)
    if (error !== null && APP_ERRORS.has(error.code) && answer.status < 500)
      throw new PlatformError(
        'bad_request',
        `${graph.who} does not know the deployment's app, or its secret.`,
      )
    // A code or token that was used already, or has ended.
    if (error !== null && isParameterError(error))
      throw new PlatformError('auth', `${graph.who} does not accept the sign-in (any more): sign in again.`)
    if (!isGraphData(answer)) throw metaFailure(answer, graph.who)
    const token = Token.safeParse(answer.json)
    if (token.success) return token.data
    // Not its cause: it holds what may be a token.
    throw new PlatformError('bad_answer', `What ${graph.who} gave for a token could not be understood.`)
  }

  async function prolong(ctx: ConnectorContext, operation: CallOperation, token: string) {
    const parameters = { grant_type: 'fb_exchange_token', fb_exchange_token: token }
    const { access_token, expires_in } = await askToken(ctx, operation, parameters)
    return {
      accessToken: access_token,
      refreshToken: null,
      expiresAtMs: expires_in === null ? null : Date.now() + expires_in * 1_000,
      refreshExpiresAtMs: null,
    }
  }

  /** What the person has agreed to, which may be less than what was asked for. */
  async function readScopes(ctx: ConnectorContext, token: string): Promise<string[]> {
    const answer = await graph.read(ctx, {
      path: 'me/permissions',
      parameters: {},
      token,
      operation: 'token.grant',
      rules: rules(),
    })
    return graph
      .dataOf(answer, Permissions)
      .data.flatMap((entry) => Permission.safeParse(entry).data ?? [])
      .flatMap(({ permission, status }) => (status === 'granted' ? [permission] : []))
  }

  return {
    apiHost: graph.host,
    refreshAheadMs: REFRESH_AHEAD_MS,

    authorizationUrl({ redirectUri, state, codeChallenge }) {
      const parameters = new URLSearchParams({
        client_id: app.id,
        redirect_uri: redirectUri,
        state,
        response_type: 'code',
        scope: [...neededScopes, ...wantedScopes].join(','),
        code_challenge: codeChallenge,
        code_challenge_method: 'S256',
      })
      return `${siteUrl}/${GRAPH_VERSION}/dialog/oauth?${parameters}`
    },

    async exchangeCode(ctx, { code, codeVerifier, redirectUri }) {
      const parameters = { code, code_verifier: codeVerifier, redirect_uri: redirectUri }
      const short = await askToken(ctx, 'token.grant', parameters)
      const grant = await prolong(ctx, 'token.grant', short.access_token)
      const scopes = await readScopes(ctx, grant.accessToken)
      const missing = neededScopes.filter((scope) => !scopes.includes(scope))
      if (missing.length > 0)
        throw new PlatformError(
          'permission',
          `Facebook was not told to let us read (${missing.join(', ')}): sign in again and agree to all of it.`,
        )
      return { ...grant, scopes }
    },

    async listAccounts(ctx, grant) {
      const found: GrantedAccount[] = []
      let after: string | null = null
      for (let page = 0; page < MAX_PAGES; page++) {
        const { data, paging }: z.infer<typeof Pages> = graph.dataOf(
          await graph.read(ctx, {
            path: 'me/accounts',
            parameters: {
              fields: `access_token,${options.pageFields}`,
              limit: String(PAGE_SIZE),
              ...(after === null ? {} : { after }),
            },
            token: grant.accessToken,
            operation: 'account.find',
            items: PAGE_SIZE,
            rules: rules(),
          }),
          Pages,
        )
        found.push(...readEntries(ctx, data, graph.who, (entry) => readGranted(entry, grant)))
        const next: string | null = paging.next === null ? null : paging.cursors.after
        if (next === null || next === after) break
        after = next
      }
      return distinctBy(found, ({ profile }) => profile.externalId)
    },

    async refresh(ctx, grant) {
      if (grant.expiresAtMs === null) return null
      return { ...(await prolong(ctx, 'token.refresh', grant.accessToken)), scopes: grant.scopes }
    },
  }

  /** Without a token of its own, a page is one that the person may not read for others. */
  function readGranted(entry: unknown, grant: TokenGrant): GrantedAccount | null {
    const { access_token } = PageToken.parse(entry)
    if (access_token === null) return null
    const profile = options.readPageAccount(entry)
    if (profile === null) return null
    const pageGrant = {
      accessToken: access_token,
      refreshToken: null,
      expiresAtMs: null,
      refreshExpiresAtMs: null,
      scopes: grant.scopes,
    }
    return { profile, grant: pageGrant }
  }
}
