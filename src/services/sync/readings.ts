import type { PostReading, ProfileReading } from '../../db/queries/ingest/index.ts'
import { normaliseTag } from '../../domain/hashtags.ts'
import { newId } from '../../lib/ids.ts'
import type { AccountProfile, PlatformPost } from '../../ports.ts'

/** Hashtags by their normalised form, in the author's spelling. */
export function toTags(hashtags: string[]): { tag: string; display: string }[] {
  const tags = new Map<string, string>()
  for (const display of hashtags) {
    const tag = normaliseTag(display)
    if (tag !== null && !tags.has(tag)) tags.set(tag, display.replace(/^[#＃]/u, ''))
  }
  return [...tags].map(([tag, display]) => ({ tag, display }))
}

/** A post as a platform showed it, as a reading of the account's. */
export function toReading(accountId: string, post: PlatformPost, observedAtMs: number): PostReading {
  return {
    id: newId(observedAtMs),
    accountId,
    platformPostId: post.platformPostId,
    kind: post.kind,
    text: post.text,
    url: post.url,
    postedAt: post.postedAt,
    media: post.media,
    hashtags: toTags(post.hashtags),
    metrics: post.metrics,
    observedAt: new Date(observedAtMs).toISOString(),
  }
}

export function toProfileReading(
  accountId: string,
  profile: AccountProfile,
  observedAtMs: number,
): ProfileReading {
  const { handle, displayName, url, avatarUrl, followers, following, posts } = profile
  return {
    accountId,
    handle,
    displayName,
    url,
    avatarUrl,
    followers,
    following,
    posts,
    observedAt: new Date(observedAtMs).toISOString(),
  }
}
