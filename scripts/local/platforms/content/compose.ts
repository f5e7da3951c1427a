import { NETWORKS } from '../networks.ts'
import { createRandom, elementAt, type Random } from '../random.ts'
import type { Trend } from '../trends.ts'
import type { Account, Media, PlatformName, PostKind } from '../types.ts'
import type { TopicPack } from './topic-pack.ts'
import { TOPICS } from './topics.ts'

/** What an author would have put into one post. */
export interface Composition {
  /** As the author gave it; where a title is needed and none given, the text begins with one. */
  title?: string | undefined
  text: string
  language: string
  extraTags: readonly string[]
  media: Media | undefined
  contentWarning: string
  isUnlisted: boolean
}

export interface CompositionRequest {
  account: Account
  kind: PostKind
  trend: Trend | undefined
  /** Who is answered; Mastodon and X write the name in front. Undefined within the author's own thread. */
  answeredHandle: string | undefined
  /** Somebody who may be named in the text. */
  mentionableHandle: string | undefined
}

const ELSEWHERE_CHANCE = 0.07
const EXTRA_TAGS_CHANCE = 0.06
const MENTION_CHANCE = 0.04
const UNLISTED_CHANCE = 0.05
const CONTENT_WARNING_CHANCE = 0.03

/** Writes a post; the same salt always gives the same post. */
export function compose(request: CompositionRequest, ...salt: readonly string[]): Composition {
  const { account, kind } = request
  const random = createRandom(...salt, 'compose')
  const pack: TopicPack = TOPICS[account.topic]
  const isMastodon = account.platform === 'mastodon'
  const media = kind === 'reply' ? undefined : mediaOf(pack, account.platform, random)
  const body = bodyOf(request, pack, random)
  const parts = [body.text]
  if (random.chance(0.35)) parts.push(random.pick(pack.emoji))
  if (kind === 'post' && request.mentionableHandle !== undefined && random.chance(MENTION_CHANCE)) {
    parts.push(`With @${request.mentionableHandle}.`)
  }
  // A Mastodon card exists only where the address stands in the text.
  if (media?.type === 'link' && (isMastodon || random.chance(0.4))) parts.push(media.url)
  let text = parts.join(' ')
  if (!body.isComplete) text += tagSuffix(pack, kind, random)
  if ((isMastodon || account.platform === 'x') && request.answeredHandle !== undefined)
    text = `@${request.answeredHandle} ${text}`
  const hasExtraTags = account.platform === 'bluesky' && kind === 'post' && random.chance(EXTRA_TAGS_CHANCE)
  return {
    text,
    language: body.language,
    extraTags: hasExtraTags ? [...new Set([random.pick(pack.hashtags), account.topic])] : [],
    media,
    contentWarning: isMastodon && random.chance(CONTENT_WARNING_CHANCE) ? warningOf(account) : '',
    isUnlisted: isMastodon && random.chance(UNLISTED_CHANCE),
  }
}

interface Body {
  text: string
  language: string
  /** True where the text carries its hashtags already. */
  isComplete: boolean
}

function bodyOf(request: CompositionRequest, pack: TopicPack, random: Random): Body {
  const { trend, kind } = request
  if (trend) {
    const spelling = random.chance(0.7) ? trend.spellings[0] : random.pick(trend.spellings)
    const line = random.pick(trend.lines).replace('{tag}', `#${spelling}`)
    const opener = fill(line, pack, random)
    const isOwnLanguage = trend.language === pack.language
    const text = isOwnLanguage && random.chance(0.6) ? `${opener} ${random.pick(pack.details)}` : opener
    return { text, language: trend.language, isComplete: random.chance(0.6) }
  }
  if (kind === 'reply')
    return { text: random.pick(pack.answers), language: pack.language, isComplete: random.chance(0.8) }
  if (kind === 'quote')
    return { text: random.pick(pack.remarks), language: pack.language, isComplete: random.chance(0.4) }
  if (random.chance(ELSEWHERE_CHANCE)) return { ...random.pick(pack.elsewhere), isComplete: true }
  const opener = fill(random.pick(pack.openers), pack, random)
  const text = random.chance(0.65) ? `${opener} ${random.pick(pack.details)}` : opener
  return { text, language: pack.language, isComplete: false }
}

function fill(template: string, pack: TopicPack, random: Random): string {
  const subject = random.pick(pack.subjects)
  const number = String(random.int(3, 48))
  return template
    .replaceAll('{subject}', subject)
    .replaceAll('{Subject}', subject.charAt(0).toUpperCase() + subject.slice(1))
    .replaceAll('{n}', number)
}

function tagSuffix(pack: TopicPack, kind: PostKind, random: Random): string {
  const count = random.pickWeighted([
    [0, kind === 'reply' ? 60 : 18],
    [1, 36],
    [2, 32],
    [3, 14],
  ])
  const tags = new Map<string, string>()
  for (let index = 0; index < count; index += 1) {
    const tag = random.pick(pack.hashtags)
    tags.set(tag.toLowerCase(), `#${tag}`)
  }
  if (tags.size === 0) return ''
  return (random.chance(0.3) ? '\n\n' : ' ') + [...tags.values()].join(' ')
}

function mediaOf(pack: TopicPack, platform: PlatformName, random: Random): Media | undefined {
  const { media, maxImages } = NETWORKS[platform]
  const drawn = random.pickWeighted(pack.media)
  const type = media.includes(drawn) ? drawn : elementAt(media, 0)
  switch (type) {
    case 'none':
      return undefined
    case 'images': {
      const count = random.pickWeighted([
        [1, 62],
        [2, 18],
        [3, 8],
        [4, 9],
        // More than four need Bluesky's gallery, and do not exist everywhere.
        [maxImages, 3],
      ])
      return { type, alts: Array.from({ length: count }, () => random.pick(pack.alts)) }
    }
    case 'video':
      return { type, alt: random.pick(pack.alts), isGif: random.chance(0.25) && media.length > 1 }
    case 'audio':
      return { type, alt: random.pick(pack.alts) }
    case 'poll':
      return { type, options: ['Yes, please', 'Not for me', 'Show me the answers'] }
    case 'link': {
      const title = fill(random.pick(pack.openers), pack, random).replace(/[.:?]+$/, '')
      const url = `https://${pack.linkHost}/${random.int(2025, 2026)}/${slugOf(title)}`
      return { type, url, title, description: random.pick(pack.details) }
    }
  }
}

function slugOf(title: string): string {
  const words = title
    .normalize('NFKD')
    .toLowerCase()
    .match(/[a-z0-9]+/g)
  return words?.slice(0, 4).join('-') ?? 'story'
}

function warningOf(account: Account): string {
  return account.topic === 'noodles' || account.topic === 'coffee' ? 'Food' : 'Long post'
}
