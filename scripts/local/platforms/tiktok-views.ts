import { ApiError, type Call } from './platform-handler.ts'
import { hash32 } from './random.ts'
import type { Account, PostView } from './types.ts'
import type { World } from './world.ts'

/** What can be asked of an account, and the scope that each takes. */
export const USER_SCOPES: Record<string, string> = {
  open_id: 'user.info.basic',
  union_id: 'user.info.basic',
  avatar_url: 'user.info.basic',
  display_name: 'user.info.basic',
  username: 'user.info.profile',
  bio_description: 'user.info.profile',
  profile_deep_link: 'user.info.profile',
  is_verified: 'user.info.profile',
  follower_count: 'user.info.stats',
  following_count: 'user.info.stats',
  video_count: 'user.info.stats',
}

export const VIDEO_FIELDS = [
  'id',
  'create_time',
  'cover_image_url',
  'share_url',
  'video_description',
  'title',
  'duration',
  'like_count',
  'comment_count',
  'share_count',
  'view_count',
]

/** The fields that the address asks for. @throws ApiError when there are none, or one is unknown */
export function requestedFields(call: Call, known: readonly string[]): string[] {
  const fields = (call.url.searchParams.get('fields') ?? '').split(',').map((field) => field.trim())
  const unknown = fields.find((field) => !known.includes(field))
  if (unknown === undefined) return fields
  const message = unknown === '' ? 'Fields is required' : `Fields ${unknown} is invalid`
  throw new ApiError(400, 'invalid_params', message, 'bad_parameter')
}

export function userView(world: World, account: Account, origin: string, t: number): Record<string, unknown> {
  const profile = world.profileAt(account, t)
  return {
    open_id: account.id,
    union_id: `union-${account.key}`,
    avatar_url: `${origin}/media/avatar-${account.key}.svg`,
    display_name: profile.displayName,
    username: profile.handle,
    bio_description: account.description,
    profile_deep_link: `https://vm.tiktok.com/${hash32(account.id).toString(36)}/`,
    is_verified: false,
    follower_count: profile.followers,
    following_count: profile.following,
    video_count: profile.posts,
  }
}

export function videoView(world: World, post: PostView, origin: string, t: number): Record<string, unknown> {
  const { handle } = world.namesAt(post.account, t)
  return {
    id: post.id,
    create_time: Math.floor(post.createdAt / 1_000),
    cover_image_url: `${origin}/media/${post.id}/cover.svg`,
    share_url: `https://www.tiktok.com/@${handle}/video/${post.id}?utm_campaign=client_share&utm_medium=copy`,
    video_description: post.text,
    title: post.text.slice(0, 90).toWellFormed(),
    duration: 8 + (hash32(post.id, 'duration') % 80),
    like_count: post.metrics.likes,
    comment_count: post.metrics.replies,
    share_count: post.metrics.reposts,
    view_count: post.metrics.views,
  }
}
