import type { FaultEffect, Intervention, InterventionOf } from './interventions.ts'
import { type AccountStatus, METRIC_NAMES, type Metrics, type PlatformName } from './types.ts'

/** A fault that is in force. */
export type ActiveFault = FaultEffect & {
  /** Epoch milliseconds. */
  untilAt: number
}

/** Epoch milliseconds of the newest event of each kind; what was granted before is over. */
export interface TokensEnded {
  revokedAt: number | undefined
  expiredAt: number | undefined
}

/** The interventions that are in force, indexed for reading; each answers for one moment. */
export interface Overlay {
  /** Files an event that was found valid. Publications are the schedule's business, not the overlay's. */
  add(intervention: Intervention): void
  adjust(post: PostRef, organic: Metrics, t: number): Metrics
  followersGained(accountId: string, t: number): number
  deletedAt(post: PostRef, t: number): number | undefined
  /** The newest edit at t. */
  editOf(post: PostRef, t: number): { at: number; text: string } | undefined
  statusOf(accountId: string, t: number): AccountStatus
  handleOf(accountId: string, t: number): string | undefined
  displayNameOf(accountId: string, t: number): string | undefined
  movedTo(accountId: string, t: number): string | undefined
  faultsOf(platform: PlatformName, path: string, t: number): ActiveFault[]
  tokensEnded(platform: PlatformName, accountId: string, t: number): TokensEnded
  /** True as soon as anything of the platform was deleted or blocked, ever. */
  hidesAnything(platform: PlatformName): boolean
}

/** Ids of posts are unique on their platform only. */
export interface PostRef {
  id: string
  account: { platform: PlatformName }
}

/** An empty overlay. */
export function createOverlay(): Overlay {
  const adjustments = createLog<InterventionOf<'adjust'>>()
  const follows = createLog<InterventionOf<'follow'>>()
  const deletions = createLog<InterventionOf<'delete'>>()
  const edits = createLog<InterventionOf<'edit'>>()
  const renames = createLog<InterventionOf<'rename'>>()
  const statuses = createLog<InterventionOf<'status'>>()
  const moves = createLog<InterventionOf<'move'>>()
  const faults = createLog<InterventionOf<'fault'> | InterventionOf<'clear-faults'>>()
  const tokens = createLog<InterventionOf<'revoke-tokens'> | InterventionOf<'expire-tokens'>>()
  const hiding = new Set<PlatformName>()

  return {
    add: (event) => {
      switch (event.verb) {
        case 'adjust':
          return adjustments.add(postKey(event.platform, event.postId), event)
        case 'follow':
          return follows.add(event.accountId, event)
        case 'delete':
          hiding.add(event.platform)
          return deletions.add(postKey(event.platform, event.postId), event)
        case 'edit':
          return edits.add(postKey(event.platform, event.postId), event)
        case 'rename':
          return renames.add(event.accountId, event)
        case 'move':
          return moves.add(event.accountId, event)
        case 'status':
          hiding.add(event.platform)
          return statuses.add(event.accountId, event)
        case 'fault':
        case 'clear-faults':
          return faults.add(event.platform, event)
        case 'revoke-tokens':
        case 'expire-tokens':
          return tokens.add(`${event.platform} ${event.accountId ?? ''}`, event)
        case 'publish':
        case 'boost':
          return
      }
    },
    adjust: (post, organic, t) => {
      const events = adjustments.until(keyOf(post), t)
      if (events.length === 0) return organic
      const metrics = { ...organic }
      for (const name of METRIC_NAMES) {
        const sum = events.reduce((total, event) => total + (event.deltas[name] ?? 0), organic[name])
        metrics[name] = Math.max(0, sum)
      }
      return metrics
    },
    followersGained: (accountId, t) =>
      follows.until(accountId, t).reduce((sum, event) => sum + event.count, 0),
    deletedAt: (post, t) => deletions.until(keyOf(post), t)[0]?.at,
    editOf: (post, t) => edits.until(keyOf(post), t).at(-1),
    statusOf: (accountId, t) => statuses.until(accountId, t).at(-1)?.status ?? 'active',
    handleOf: (accountId, t) =>
      renames.until(accountId, t).findLast((event) => event.handle !== undefined)?.handle,
    displayNameOf: (accountId, t) =>
      renames.until(accountId, t).findLast((event) => event.displayName !== undefined)?.displayName,
    movedTo: (accountId, t) => moves.until(accountId, t).at(-1)?.toAccountId,
    faultsOf: (platform, path, t) => {
      const active: ActiveFault[] = []
      for (const event of faults.until(platform, t)) {
        if (event.verb === 'clear-faults') active.length = 0
        else if (t < event.untilAt && path.includes(event.pathIncludes ?? ''))
          active.push({ ...event.effect, untilAt: event.untilAt })
      }
      return active
    },
    tokensEnded: (platform, accountId, t) => {
      const events = ['', accountId].flatMap((id) => tokens.until(`${platform} ${id}`, t))
      const newest = (verb: (typeof events)[number]['verb']): number | undefined =>
        events.reduce<number | undefined>(
          (latest, event) => (event.verb === verb ? Math.max(latest ?? 0, event.at) : latest),
          undefined,
        )
      return { revokedAt: newest('revoke-tokens'), expiredAt: newest('expire-tokens') }
    },
    hidesAnything: (platform) => hiding.has(platform),
  }
}

function keyOf({ id, account }: PostRef): string {
  return postKey(account.platform, id)
}

function postKey(platform: PlatformName, id: string): string {
  return `${platform} ${id}`
}

interface Log<E extends { at: number }> {
  add(key: string, event: E): void
  /** Events of a key that have happened at t, in order of time. */
  until(key: string, t: number): readonly E[]
}

function createLog<E extends { at: number }>(): Log<E> {
  const events = new Map<string, E[]>()
  return {
    add: (key, event) => {
      const list = events.get(key) ?? []
      list.push(event)
      // Stable, so that events of the same moment keep the order of their arrival.
      list.sort((a, b) => a.at - b.at)
      events.set(key, list)
    },
    until: (key, t) => {
      const list = events.get(key)
      if (!list) return []
      return list.filter((event) => event.at <= t)
    },
  }
}
