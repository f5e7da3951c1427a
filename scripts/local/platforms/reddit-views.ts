import type { Account, FeedEntry, PostView } from './types.ts'
import type { World } from './world.ts'

/** Reddit's JSON for people, communities and posts. */

/** What stands in place of what was taken away. */
const DELETED = '[deleted]'

export function userView(world: World, account: Account, origin: string, t: number): object {
  const { handle, displayName, followers } = world.profileAt(account, t)
  const icon = `${origin}/media/avatar-${account.key}.svg`
  return {
    kind: 't2',
    data: {
      id: account.id.slice('t2_'.length),
      name: handle,
      created_utc: Math.floor(Date.parse(account.createdAt) / 1_000),
      is_employee: false,
      icon_img: icon,
      verified: true,
      subreddit: {
        display_name: `u_${handle}`,
        title: displayName,
        public_description: account.description,
        icon_img: icon,
        subscribers: followers,
        subreddit_type: 'user',
      },
    },
  }
}

export function communityView(world: World, community: Account, origin: string, t: number): object {
  const { handle, displayName, followers } = world.profileAt(community, t)
  return {
    kind: 't5',
    data: {
      id: community.id.slice('t5_'.length),
      name: community.id,
      display_name: handle,
      display_name_prefixed: `r/${handle}`,
      title: displayName,
      public_description: community.description,
      created_utc: Math.floor(Date.parse(community.createdAt) / 1_000),
      community_icon: '',
      icon_img: `${origin}/media/avatar-${community.key}.svg`,
      subscribers: followers,
      subreddit_type: 'public',
      over18: false,
      url: `/r/${handle}/`,
    },
  }
}

/** All that Reddit shows of somebody it has suspended. */
export function suspendedView(name: string): object {
  return { kind: 't2', data: { name, is_suspended: true, awardee_karma: 0, total_karma: 0 } }
}

/** A page of things. @param after the name of the last one, where more follow */
export function listingView(children: readonly object[], after: string | null): object {
  return { kind: 'Listing', data: { after, dist: children.length, modhash: '', before: null, children } }
}

/** @param origin serves the pictures */
export function linkView(world: World, entry: FeedEntry, origin: string, t: number): object {
  const { post } = entry
  const original = linkData(world, post, origin, t)
  if (entry.kind !== 'repost') return { kind: 't3', data: { ...original, ...countsOf(post) } }
  // Crossposts go to the page of who makes them.
  const crosspost = { id: entry.id, account: entry.account, createdAt: entry.at, community: undefined }
  const data = linkData(world, { ...post, ...crosspost }, origin, t)
  return {
    kind: 't3',
    data: {
      ...data,
      selftext: '',
      is_self: false,
      post_hint: 'link',
      url: original.permalink,
      crosspost_parent: post.id,
      crosspost_parent_list: [{ ...original, ...countsOf(post) }],
      // A crosspost is voted on by itself; everybody begins with a vote of their own.
      score: 1,
      upvote_ratio: 1,
      num_comments: 0,
      num_crossposts: 0,
    },
  }
}

/** What is left of a post that its author took away: its place and its counts. */
export function removedLinkView(world: World, post: PostView, origin: string, t: number): object {
  return {
    kind: 't3',
    data: {
      ...linkData(world, post, origin, t),
      ...countsOf(post),
      author: DELETED,
      selftext: DELETED,
      title: post.title ?? '',
      removed_by_category: 'deleted',
    },
  }
}

function linkData(world: World, post: PostView, origin: string, t: number) {
  const { id: name, account, community } = post
  const { handle } = world.namesAt(account, t)
  const id = name.slice('t3_'.length)
  const page = community ? `r/${community.handle}` : `u/${handle}`
  const path = community ? page : `user/${handle}`
  const permalink = `/${path}/comments/${id}/${slugOf(post.title ?? '')}/`
  return {
    name,
    id,
    author: handle,
    author_fullname: account.id,
    subreddit: community?.handle ?? `u_${handle}`,
    subreddit_name_prefixed: page,
    title: post.title ?? '',
    selftext: toMarkdown(post.text),
    created_utc: post.createdAt / 1_000,
    edited: post.editedAt === undefined ? false : Math.floor(post.editedAt / 1_000),
    permalink,
    ...attached(post, `${origin}/media/${id}`, `https://www.reddit.com${permalink}`),
    hide_score: false,
    link_flair_text: null,
    removed_by_category: null,
    over_18: false,
    view_count: null,
  }
}

function attached(post: PostView, picture: string, page: string): object {
  const { media } = post
  switch (media?.type) {
    case 'images': {
      if (media.alts.length === 1)
        return { is_self: false, is_video: false, post_hint: 'image', url: `${picture}-0.svg` }
      const items = media.alts.map((caption, index) => ({ media_id: `m${index}`, id: index, caption }))
      const metadata = items.map(({ media_id: key, id }) => [
        key,
        { status: 'valid', e: 'Image', id: key, s: { u: `${picture}-${id}.svg`, x: 1_600, y: 900 } },
      ])
      return {
        is_self: false,
        is_video: false,
        is_gallery: true,
        gallery_data: { items },
        media_metadata: Object.fromEntries(metadata),
        url: page,
      }
    }
    case 'video':
      return { is_self: false, is_video: true, post_hint: 'hosted:video', url: `${picture}.mp4` }
    case 'link':
      return { is_self: false, is_video: false, post_hint: 'link', url: media.url }
    default:
      return { is_self: true, is_video: false, url: page }
  }
}

function countsOf({ metrics }: PostView): object {
  return {
    score: metrics.likes,
    ups: metrics.likes,
    upvote_ratio: 0.94,
    num_comments: metrics.replies,
    num_crossposts: metrics.reposts,
  }
}

/** A text as Reddit's editor writes it: what would mean something in Markdown has a backslash before it. */
function toMarkdown(text: string): string {
  return text.replace(/[\\*_~^`[\]>]/g, '\\$&').replace(/^( {0,3})#/gm, '$1\\#')
}

function slugOf(title: string): string {
  const slug = title.toLowerCase().replace(/[^a-z0-9]+/g, '_')
  return slug.replace(/^_+|_+$/g, '').slice(0, 50) || 'post'
}
