import type { z } from 'zod'
import type { Audience } from './audience.ts'
import type { Contents } from './contents.ts'
import { drawCurve, emptyCurve } from './engagement.ts'
import {
  type Intervention,
  InterventionError,
  type InterventionOf,
  interventionSchema,
} from './interventions.ts'
import { NETWORKS } from './networks.ts'
import type { Overlay } from './overlay.ts'
import type { PostCounter } from './post-counter.ts'
import { graphemeLength } from './rich-text.ts'
import type { Item, Schedule } from './schedule.ts'
import { type Account, METRIC_NAMES, type Metrics, type PlatformName, type PostView } from './types.ts'

type WithOptionalAt<T> = T extends { at: number } ? Omit<T, 'at'> & { at?: number } : never

/** An intervention to be carried out; `at` is the present where it is left out. */
export type NewIntervention = WithOptionalAt<z.input<typeof interventionSchema>>

export interface Applied {
  /** As it was kept. */
  intervention: Intervention
  /** The post or repost that came of it, where one did. */
  postId: string | undefined
}

export interface ApplyDeps {
  seed: string
  epoch: number
  byId: ReadonlyMap<string, Account>
  schedule: Schedule
  contents: Contents
  audience: Audience
  overlay: Overlay
  counter: PostCounter
  post: (platform: PlatformName, id: string, t: number) => PostView | undefined
  handleAt: (account: Account, t: number) => string
}

/** Makes the function that checks an intervention against the world and files it. */
export function createApply(deps: ApplyDeps): (intervention: z.input<typeof interventionSchema>) => Applied {
  const { byId, schedule, contents, overlay } = deps

  const accountOf = (id: string, platform: PlatformName): Account => {
    const account = byId.get(id)
    if (account?.platform !== platform) throw new InterventionError(`No account ${id} on ${platform}`)
    return account
  }
  const authorOf = (id: string, platform: PlatformName): Account => {
    const account = accountOf(id, platform)
    if (account.isCommunity) throw new InterventionError(`${account.key} writes nothing itself`)
    return account
  }
  const postOf = (id: string, platform: PlatformName, t: number): PostView => {
    const post = deps.post(platform, id, t)
    if (!post) throw new InterventionError(`No post ${id} on ${platform}`)
    return post
  }
  const onlyIf = (isPossible: boolean, event: Intervention): void => {
    if (!isPossible) throw new InterventionError(`There is no such ${event.verb} on ${event.platform}`)
  }
  const checkLength = (text: string, platform: PlatformName): void => {
    const most = NETWORKS[platform].maxCharacters
    if (graphemeLength(text) > most) throw new InterventionError(`A post has at most ${most} characters`)
  }
  /** A top-level post to answer or quote: threads have one level here. */
  const itemOf = (id: string | undefined, platform: PlatformName, t: number): Item | undefined => {
    if (id === undefined) return undefined
    const post = postOf(id, platform, t)
    const item = schedule.find(platform, post.replyToId ?? post.id)
    if (!item) throw new InterventionError(`No post ${id} on ${platform}`)
    return item
  }

  const checkMoment = (event: Intervention): void => {
    if (event.at < deps.epoch) throw new InterventionError('That is before the beginning of the world')
  }

  const publish = (event: InterventionOf<'publish'>): Applied => {
    const { publication, platform } = event
    const account = authorOf(event.accountId, platform)
    checkLength(publication.text, platform)
    checkMoment(event)
    const replyTo = itemOf(publication.replyToId, platform, event.at)
    const quoted = itemOf(publication.quotedId, platform, event.at)
    const item = schedule.add(account, event.at, 'post')
    const kind = replyTo ? 'reply' : quoted ? 'quote' : 'post'
    const curve =
      publication.growth === 'none'
        ? emptyCurve(item.at)
        : drawCurve(
            {
              account,
              kind,
              media: publication.media,
              isTrending: false,
              startAt: item.at,
              followers: deps.audience.followersAt(account, item.at),
            },
            deps.seed,
            account.id,
            item.salt,
          )
    const { title, text, language, extraTags, media, contentWarning, isUnlisted } = publication
    contents.set(item, {
      type: 'post',
      kind,
      composition: { title, text, language, extraTags, media, contentWarning, isUnlisted },
      curve,
      replyTo,
      quoted,
      declaredAt: item.at,
    })
    deps.counter.invalidate(account, item.at)
    return { intervention: { ...event, at: item.at }, postId: item.id }
  }

  const boost = (event: InterventionOf<'boost'>): Applied => {
    const account = authorOf(event.accountId, event.platform)
    checkMoment(event)
    const original = schedule.find(event.platform, postOf(event.postId, event.platform, event.at).id)
    if (!original) throw new InterventionError(`No post ${event.postId} on ${event.platform}`)
    const item = schedule.add(account, event.at, 'repost')
    contents.set(item, { type: 'repost', original })
    deps.counter.invalidate(account, item.at)
    return { intervention: { ...event, at: item.at }, postId: item.id }
  }

  /** Nobody can take back a like that was never given: counts stop at 0 for good. */
  const clamped = (event: InterventionOf<'adjust'>): InterventionOf<'adjust'> => {
    const { metrics } = postOf(event.postId, event.platform, event.at)
    const deltas: Partial<Metrics> = {}
    for (const name of METRIC_NAMES) {
      const delta = event.deltas[name]
      if (delta !== undefined) deltas[name] = Math.max(delta, -metrics[name])
    }
    return { ...event, deltas }
  }

  const file = (event: Intervention): Applied => {
    overlay.add(event)
    return { intervention: event, postId: undefined }
  }

  const rename = (event: InterventionOf<'rename'>): Applied => {
    const account = accountOf(event.accountId, event.platform)
    if (event.handle === undefined) return file(event)
    const { platform } = event
    onlyIf(NETWORKS[platform].canRename, event)
    const handle = event.handle.toLowerCase()
    for (const other of byId.values()) {
      if (other !== account && other.platform === platform && deps.handleAt(other, event.at) === handle) {
        throw new InterventionError(`The handle ${handle} is taken`)
      }
    }
    return file({ ...event, handle })
  }

  return (given) => {
    // In-process callers may leave defaults out, just as the control interface does.
    const event = interventionSchema.parse(given)
    switch (event.verb) {
      case 'publish':
        return publish(event)
      case 'boost':
        return boost(event)
      case 'adjust':
        return file(clamped(event))
      case 'delete':
        postOf(event.postId, event.platform, event.at)
        return file(event)
      case 'edit':
        onlyIf(NETWORKS[event.platform].canEdit, event)
        postOf(event.postId, event.platform, event.at)
        checkLength(event.text, event.platform)
        return file(event)
      case 'rename':
        return rename(event)
      case 'move':
        onlyIf(event.platform === 'mastodon', event)
        accountOf(event.accountId, event.platform)
        accountOf(event.toAccountId, event.platform)
        return file(event)
      case 'status':
        if (event.status === 'deactivated') onlyIf(NETWORKS[event.platform].canDeactivate, event)
        accountOf(event.accountId, event.platform)
        return file(event)
      case 'follow':
        accountOf(event.accountId, event.platform)
        return file(event)
      case 'revoke-tokens':
      case 'expire-tokens':
        if (event.accountId !== undefined) accountOf(event.accountId, event.platform)
        return file(event)
      case 'fault':
      case 'clear-faults':
        return file(event)
    }
  }
}
