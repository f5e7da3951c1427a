import { plainField, selectFields, showNode } from './meta-fields.ts'
import { type MetaNetworkViews, metaTime } from './meta-views.ts'
import type { Account, PostView } from './types.ts'
import type { World } from './world.ts'

const SHORTCODE = 'https://www.instagram.com/p/'

/** Professional accounts of Instagram, each linked to a page of the same name. */
export function createInstagramViews(world: World): MetaNetworkViews {
  const pageIdOf = (account: Account): string => `10${account.id.slice(-13)}`
  const views: MetaNetworkViews = {
    platform: 'instagram',
    postsEdge: 'media',
    scopes: { posts: 'instagram_basic', insights: 'instagram_manage_insights' },
    throttledCode: 80_002,
    usageType: 'instagram',
    defaultPostFields: 'id',
    pageIdOf,

    account: (account, { origin, t }) => {
      const profile = world.profileAt(account, t)
      return {
        id: () => account.id,
        username: () => profile.handle,
        name: () => profile.displayName,
        biography: () => account.description,
        website: () => account.website,
        profile_picture_url: () => `${origin}/media/avatar/${account.key}.png`,
        followers_count: () => profile.followers,
        follows_count: () => profile.following,
        media_count: () => profile.posts,
      }
    },

    page: (account, context) => ({
      id: () => pageIdOf(account),
      name: () => world.namesAt(account, context.t).displayName,
      instagram_business_account: ({ fields = [plainField('id')] }) =>
        selectFields(views.account(account, context), fields),
    }),

    post: (post, context) => ({
      id: () => post.id,
      caption: () => post.text || undefined,
      media_type: () => mediaType(post),
      media_product_type: () => (post.media?.type === 'video' ? 'REELS' : 'FEED'),
      permalink: () => `${SHORTCODE}${shortcodeOf(post)}/`,
      shortcode: () => shortcodeOf(post),
      timestamp: () => metaTime(post.createdAt),
      username: () => world.namesAt(post.account, context.t).handle,
      alt_text: () => (post.media?.type === 'images' ? post.media.alts[0] || undefined : undefined),
      media_url: () => `${context.origin}/media/post/${post.id}.png`,
      like_count: () => post.metrics.likes,
      comments_count: () => post.metrics.replies,
      children: ({ fields }) => {
        if (post.media?.type !== 'images' || post.media.alts.length < 2) return undefined
        const data = post.media.alts.map((alt, index) => ({
          id: `${post.id}${index}`,
          ...showNode({ media_type: 'IMAGE', alt_text: alt }, fields),
        }))
        return { data }
      },
      insights: (field) =>
        context.insights(post, field, {
          views: post.metrics.views,
          reach: post.metrics.reach,
          likes: post.metrics.likes,
          comments: post.metrics.replies,
          saved: post.metrics.bookmarks,
          shares: post.metrics.reposts,
        }),
    }),
  }
  return views
}

function mediaType({ media }: PostView): string {
  if (media?.type === 'video') return 'VIDEO'
  return media?.type === 'images' && media.alts.length > 1 ? 'CAROUSEL_ALBUM' : 'IMAGE'
}

function shortcodeOf(post: PostView): string {
  return `C${BigInt(post.id).toString(36)}`
}
