import type { GraphField, GraphNode } from './meta-fields.ts'
import type { Account, PostView } from './types.ts'

/** What Instagram and Facebook show differently of the same world. */
export interface MetaNetworkViews {
  platform: 'instagram' | 'facebook'
  /** The edge of an account that lists its posts. */
  postsEdge: string
  /** What a token needs for posts, and for their insights. */
  scopes: { posts: string; insights: string }
  /** The number of "too many calls for this account". */
  throttledCode: number
  /** How usage headers call the allowance of an account. */
  usageType: string
  account(account: Account, context: ViewContext): GraphNode
  /** The page that an account is read through: itself on Facebook, the one it is linked to on Instagram. */
  page(account: Account, context: ViewContext): GraphNode
  pageIdOf(account: Account): string
  post(post: PostView, context: ViewContext): GraphNode
  defaultPostFields: string
}

/** Who looks, and when. */
export interface ViewContext {
  /** `scheme://host:port` of the platform. */
  origin: string
  /** Epoch milliseconds. */
  t: number
  /** The figures of a post by their names; undefined where the network has no such metric. */
  insights(post: PostView, field: GraphField, figures: Readonly<Record<string, number>>): unknown
}

/** Meta writes the offset without a colon, and no fractions. */
export function metaTime(atMs: number): string {
  return `${new Date(atMs).toISOString().slice(0, 19)}+0000`
}
