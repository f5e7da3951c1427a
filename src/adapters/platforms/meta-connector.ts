import type { AccountProfile, PlatformConnector } from '../../ports.ts'
import { PlatformError } from '../../ports.ts'
import { MalformedEntry, readEntries } from './entries.ts'
import { readAccountName, refuseInput } from './input.ts'
import type { RuleOf } from './limits.ts'
import { metaFailure } from './meta-failure.ts'
import { createMetaGraph, GRAPH_BATCH_SIZE, isGraphData, META_API_URL, META_SITE_URL } from './meta-graph.ts'
import { createMetaOAuth, type MetaOAuthOptions } from './meta-oauth.ts'
import { createMetaPosts, type MetaPostsOptions } from './meta-posts.ts'

export interface MetaOptions {
  /** The app at Meta, with Facebook Login; one serves Instagram and Facebook. */
  app: { id: string; secret: string }
  /** Base address of the Graph API, without a slash at the end; Meta's own by default. */
  apiUrl?: string | undefined
  /** Where people sign in, without a slash at the end; Facebook's own by default. */
  siteUrl?: string | undefined
  userAgent: string
  ruleOf: RuleOf
}

/** What one of Meta's networks has of its own. */
export interface MetaNetwork
  extends MetaPostsOptions,
    Pick<MetaOAuthOptions, 'neededScopes' | 'wantedScopes' | 'pageFields' | 'readPageAccount'> {
  platform: 'instagram' | 'facebook'
  who: string
  /** A name that is no address. */
  bareName: RegExp
  /** How an account is named, for who pasted something else. */
  hint: string
  /** How an account comes to be connected, for who pasted its name. */
  invitation: string
  profileFields: string
  /** Throws when it is malformed. */
  readProfile: (entry: unknown) => AccountProfile
}

/** Reads accounts whose owners have signed in with Facebook, each with the token of its page. */
export function createMetaConnector(network: MetaNetwork, options: MetaOptions): PlatformConnector {
  const { app, apiUrl = META_API_URL, siteUrl = META_SITE_URL, userAgent, ruleOf } = options
  const { platform, who } = network
  const graph = createMetaGraph({ app, apiUrl, userAgent, who })
  const posts = createMetaPosts(graph, ruleOf, network)

  return {
    platform,
    refreshBatchSize: GRAPH_BATCH_SIZE,
    profileBatchSize: 1,
    batchBy: 'account',
    oauth: createMetaOAuth({ ...network, app, siteUrl, graph, ruleOf }),

    // Strangers' names are not looked up: what could be read of them is less, and not by their posts' ids.
    async resolve(_ctx, input) {
      const name = readAccountName(input, platform, network.bareName)
      if (name === null) throw refuseInput(input, platform, network.hint)
      throw new PlatformError('auth', network.invitation)
    },

    async fetchProfiles(ctx, accounts) {
      const profiles: AccountProfile[] = []
      for (const { externalId } of accounts) {
        const answer = await graph.read(ctx, {
          path: encodeURIComponent(externalId),
          parameters: { fields: network.profileFields },
          token: graph.tokenOf(ctx),
          operation: 'profiles.read',
          rules: [ruleOf(network.limit, externalId)],
        })
        if (!isGraphData(answer)) {
          const failure = metaFailure(answer, who)
          if (failure.kind === 'gone') continue
          throw failure
        }
        const read = readEntries(ctx, [answer.json], who, (entry) => {
          const profile = network.readProfile(entry)
          if (profile.externalId === externalId) return profile
          throw new MalformedEntry('it is another account')
        })
        profiles.push(...read)
      }
      return profiles
    },

    fetchPosts: (ctx, account, cursor) => posts.list(ctx, account, cursor),
    refreshPosts: (ctx, scope, known) => posts.refresh(ctx, scope, known),
  }
}
