import { type GraphField, type GraphNode, plainField, selectFields, showNode } from './meta-fields.ts'
import { type MetaNetworkViews, metaTime } from './meta-views.ts'
import type { Account, PostView } from './types.ts'
import type { World } from './world.ts'

const SITE = 'https://www.facebook.com'

/** Pages of Facebook. */
export function createFacebookViews(world: World): MetaNetworkViews {
  const page: MetaNetworkViews['page'] = (account, { origin, t }) => {
    const profile = world.profileAt(account, t)
    return {
      id: () => account.id,
      name: () => profile.displayName,
      username: () => profile.handle,
      link: () => `${SITE}/${profile.handle}`,
      about: () => account.description,
      followers_count: () => profile.followers,
      fan_count: () => Math.floor(profile.followers * 0.95),
      picture: ({ fields }) => ({
        data: showNode({ url: `${origin}/media/avatar/${account.key}.png`, is_silhouette: false }, fields),
      }),
    }
  }
  return {
    platform: 'facebook',
    postsEdge: 'published_posts',
    scopes: { posts: 'pages_read_engagement', insights: 'read_insights' },
    throttledCode: 80_001,
    usageType: 'pages',
    defaultPostFields: 'id,message,created_time',
    pageIdOf: (account: Account) => account.id,
    account: page,
    page,
    post: (post, context): GraphNode => ({
      id: () => post.id,
      message: () => post.text || undefined,
      story: () => undefined,
      created_time: () => metaTime(post.createdAt),
      permalink_url: () => `${SITE}/${post.account.id}/posts/${post.id.split('_')[1]}`,
      status_type: () => statusType(post),
      parent_id: () => undefined,
      is_published: () => true,
      attachments: ({ fields }) => attachmentsOf(post, fields),
      shares: () => (post.metrics.reposts === 0 ? undefined : { count: post.metrics.reposts }),
      reactions: (field) => summaryOf(field, post.metrics.likes),
      comments: (field) => summaryOf(field, post.metrics.replies),
      insights: (field) =>
        context.insights(post, field, {
          post_media_view: post.metrics.views,
          post_total_media_view_unique: post.metrics.reach,
        }),
    }),
  }
}

function statusType({ media }: PostView): string {
  switch (media?.type) {
    case 'images':
      return 'added_photos'
    case 'video':
      return 'added_video'
    case 'link':
      return 'shared_story'
    default:
      return 'mobile_status_update'
  }
}

/** The number comes with `summary(true)` alone. */
function summaryOf({ args }: GraphField, total: number): unknown {
  return { data: [], ...(args.get('summary') === 'true' && { summary: { total_count: total } }) }
}

interface Attachment {
  media_type: string
  type: string
  url: string
  unshimmed_url?: string
  title?: string
  description?: string
  parts?: readonly Attachment[]
}

function attachmentsOf(post: PostView, fields: readonly GraphField[] | undefined): unknown {
  const attachment = attachmentOf(post)
  return attachment && { data: [showAttachment(attachment, fields)] }
}

function showAttachment(attachment: Attachment, fields: readonly GraphField[] | undefined): unknown {
  const { parts, ...values } = attachment
  const unset = { unshimmed_url: undefined, title: undefined, description: undefined }
  const usual = Object.keys(values).map(plainField)
  const names = Object.entries({ ...unset, ...values })
  const node: GraphNode = {
    ...Object.fromEntries(names.map(([name, value]) => [name, () => value])),
    subattachments: (field) => parts && { data: parts.map((part) => showAttachment(part, field.fields)) },
  }
  return selectFields(node, fields ?? usual)
}

function attachmentOf({ id, media }: PostView): Attachment | undefined {
  const number = id.split('_')[1]
  const photo = (index: number): Attachment => ({
    media_type: 'photo',
    type: 'photo',
    url: `${SITE}/photo/?fbid=${number}${index}`,
  })
  switch (media?.type) {
    case 'images':
      if (media.alts.length < 2) return photo(0)
      return {
        media_type: 'album',
        type: 'album',
        url: `${SITE}/media/set/?set=pcb.${number}`,
        parts: media.alts.map((_, index) => photo(index)),
      }
    case 'video':
      return { media_type: 'video', type: 'video_inline', url: `${SITE}/watch/?v=${number}` }
    case 'link':
      return {
        media_type: 'link',
        type: 'share',
        url: `https://l.facebook.com/l.php?u=${encodeURIComponent(media.url)}`,
        unshimmed_url: media.url,
        title: media.title,
        description: media.description,
      }
    default:
      return undefined
  }
}
