import { PLATFORM_FACTS, type PostMetric } from '../../../src/domain/platforms.ts'
import type { FeedKind, Media, PlatformName } from './types.ts'

/** What the simulated world makes of each platform: who posts what there, and what of it is counted. */
export interface NetworkTraits {
  /** The kinds of feed entries there; anything else that an account sets out to do becomes a plain post. */
  kinds: readonly FeedKind[]
  /** What can be attached; the first takes the place of what cannot. */
  media: readonly (Media['type'] | 'none')[]
  maxImages: number
  /** Of a post that is published through the control interface. */
  maxCharacters: number
  hasTitle: boolean
  /** The number of posts in a profile includes reposts of others. */
  countsReposts: boolean
  /** Views for each like, as a median; 0 where there are none. What is shown of them is another matter. */
  viewsPerLike: number
  canRename: boolean
  canEdit: boolean
  canDeactivate: boolean
}

const CONVERSATION = ['post', 'reply', 'quote', 'repost'] as const
const PUBLICATION = ['post'] as const
const USUAL: NetworkTraits = {
  kinds: PUBLICATION,
  media: ['none', 'images', 'video', 'link'],
  maxImages: 7,
  maxCharacters: 2_200,
  hasTitle: false,
  countsReposts: false,
  viewsPerLike: 0,
  canRename: true,
  canEdit: true,
  canDeactivate: true,
}

/** The platforms as the world simulates them. */
export const NETWORKS: Record<PlatformName, NetworkTraits> = {
  bluesky: {
    ...USUAL,
    kinds: CONVERSATION,
    media: ['link', 'none', 'images', 'video'],
    maxCharacters: 300,
    canEdit: false,
  },
  mastodon: {
    ...USUAL,
    kinds: CONVERSATION,
    media: ['none', 'images', 'video', 'audio', 'link', 'poll'],
    maxImages: 4,
    maxCharacters: 500,
    countsReposts: true,
    canRename: false,
    canDeactivate: false,
  },
  youtube: { ...USUAL, media: ['video'], maxCharacters: 5_000, hasTitle: true, viewsPerLike: 26 },
  x: {
    ...USUAL,
    kinds: CONVERSATION,
    media: ['none', 'images', 'video', 'link', 'poll'],
    maxImages: 4,
    maxCharacters: 4_000,
    countsReposts: true,
    viewsPerLike: 75,
    canEdit: false,
  },
  instagram: { ...USUAL, media: ['images', 'video'], viewsPerLike: 19 },
  facebook: { ...USUAL, maxCharacters: 5_000, viewsPerLike: 48 },
  threads: {
    ...USUAL,
    kinds: CONVERSATION,
    media: ['none', 'images', 'video', 'audio', 'link', 'poll'],
    maxCharacters: 500,
    viewsPerLike: 21,
  },
  tiktok: { ...USUAL, media: ['video'], viewsPerLike: 14, canEdit: false },
  linkedin: {
    ...USUAL,
    media: ['none', 'images', 'video', 'link', 'poll'],
    maxCharacters: 3_000,
    viewsPerLike: 45,
  },
  reddit: {
    ...USUAL,
    kinds: ['post', 'repost'],
    maxCharacters: 5_000,
    hasTitle: true,
    viewsPerLike: 30,
    canRename: false,
  },
}

/** Whether a platform gives a count of its posts at all. */
export function isMeasured(platform: PlatformName, metric: PostMetric): boolean {
  return PLATFORM_FACTS[platform].measures.includes(metric)
}
