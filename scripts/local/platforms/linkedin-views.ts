import { hashUnit } from './random.ts'
import { findSpans } from './rich-text.ts'
import type { Account, PostView } from './types.ts'
import type { World } from './world.ts'

/** LinkedIn's JSON for organizations, posts and their statistics. */

const RESERVED = /[|{}@[\]()<>#\\*_~]/gu
/** Hashtags are marked in some posts and stand as plain text in the others, as both are allowed. */
const TEMPLATE_CHANCE = 0.5

export function organizationView(world: World, account: Account, t: number): object {
  const { handle, displayName } = world.namesAt(account, t)
  return {
    id: Number(account.id),
    localizedName: displayName,
    vanityName: handle,
    localizedWebsite: account.website ?? null,
    primaryOrganizationType: 'NONE',
    versionTag: '1',
  }
}

/** The URN of an account. */
export function organizationUrnOf(account: Account): string {
  return `urn:li:organization:${account.id}`
}

/** When the post was last changed, in epoch milliseconds. */
export function lastModifiedAt(post: PostView): number {
  return post.editedAt ?? post.createdAt
}

export function postView(post: PostView): object {
  const content = contentOf(post)
  return {
    id: post.id,
    author: organizationUrnOf(post.account),
    commentary: commentaryOf(post),
    createdAt: post.createdAt - 1_000,
    publishedAt: post.createdAt,
    lastModifiedAt: lastModifiedAt(post),
    lifecycleState: 'PUBLISHED',
    lifecycleStateInfo: { isEditedByAuthor: post.editedAt !== undefined },
    visibility: 'PUBLIC',
    isReshareDisabledByAuthor: false,
    distribution: { feedDistribution: 'MAIN_FEED', thirdPartyDistributionChannels: [] },
    ...(content && { content }),
  }
}

/** The text in LinkedIn's inline markup. */
function commentaryOf(post: PostView): string {
  const hasTemplates = hashUnit(post.id, 'hashtag template') < TEMPLATE_CHANCE
  let commentary = ''
  let end = 0
  for (const span of findSpans(post.text)) {
    if (span.type !== 'tag') continue
    commentary += escaped(post.text.slice(end, span.start))
    commentary += hasTemplates ? `{hashtag|\\#|${span.value}}` : `#${escaped(span.value)}`
    end = span.end
  }
  return commentary + escaped(post.text.slice(end))
}

function escaped(text: string): string {
  return text.replaceAll(RESERVED, '\\$&')
}

function contentOf(post: PostView): object | undefined {
  const { media } = post
  const key = post.id.replace(/^.*:/, '')
  switch (media?.type) {
    case 'images': {
      const images = media.alts.map((altText, i) => ({ id: `urn:li:image:${key}-${i}`, altText }))
      return images.length === 1 ? { media: images[0] } : { multiImage: { images } }
    }
    case 'video':
      return { media: { id: `urn:li:video:${key}`, title: media.alt } }
    case 'audio':
      return { media: { id: `urn:li:document:${key}`, title: media.alt } }
    case 'link':
      return { article: { source: media.url, title: media.title, description: media.description } }
    case 'poll':
      return {
        poll: {
          question: 'What do you think?',
          options: media.options.map((text) => ({ text, isVotedByViewer: false, voteCount: 0 })),
          settings: { duration: 'THREE_DAYS' },
        },
      }
    case undefined:
      return undefined
  }
}

/** An entry of the share statistics; undefined for a post without any activity, which is left out. */
export function statisticsView(post: PostView): object | undefined {
  const { likes, replies, reposts, views, reach } = post.metrics
  if (likes + replies + reposts + views + reach === 0) return undefined
  return {
    organizationalEntity: organizationUrnOf(post.account),
    [post.id.startsWith('urn:li:ugcPost:') ? 'ugcPost' : 'share']: post.id,
    totalShareStatistics: {
      impressionCount: views,
      uniqueImpressionsCount: reach,
      clickCount: 0,
      likeCount: likes,
      commentCount: replies,
      shareCount: reposts,
      engagement: views === 0 ? 0 : (likes + replies + reposts) / views,
    },
  }
}
