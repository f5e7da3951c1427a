import { createRandom, elementAt, hashUnit } from './random.ts'
import type { Account } from './types.ts'

const DAY_MS = 86_400_000
const WOBBLE_MS = 600_000

/** How many people follow an account, as an exact function of time. */
export interface Audience {
  /** Never negative; before the epoch it is the number of the epoch. */
  followersAt(account: Account, t: number): number
  followingAt(account: Account, t: number): number
}

/**
 * Followers grow by a daily amount that is noisy, sometimes jumps (somebody famous shared a post) and
 * sometimes falls (the platform purges spam accounts).
 */
export function createAudience(seed: string, epoch: number): Audience {
  // Followers at the beginning of each day since the epoch, extended as later days are asked for.
  const starts = new Map<string, number[]>()

  const startOfDay = (account: Account, day: number): number => {
    let known = starts.get(account.id)
    if (!known) {
      known = [account.followers]
      starts.set(account.id, known)
    }
    while (known.length <= day) {
      const last = elementAt(known, known.length - 1)
      known.push(Math.max(0, last + dailyGain(seed, account, known.length - 1, last)))
    }
    return elementAt(known, day)
  }

  return {
    followersAt: (account, t) => {
      const sinceEpoch = Math.max(0, t - epoch)
      const day = Math.floor(sinceEpoch / DAY_MS)
      const start = startOfDay(account, day)
      const end = startOfDay(account, day + 1)
      const share = (sinceEpoch - day * DAY_MS) / DAY_MS
      return Math.max(0, Math.floor(start + (end - start) * share) + wobble(seed, account, t))
    },
    followingAt: (account, t) => {
      const weeks = Math.max(0, t - epoch) / (7 * DAY_MS)
      return account.following + Math.floor(weeks * hashUnit(seed, account.id, 'following') * 4)
    },
  }
}

function dailyGain(seed: string, account: Account, day: number, followers: number): number {
  const random = createRandom(seed, account.id, 'followers', day)
  let gain = followers * account.followerGrowthPerDay * (1 + 0.5 * random.normal())
  gain += 0.12 * Math.sqrt(followers) * random.normal()
  if (random.chance(0.015)) gain += followers * (0.005 + 0.025 * random.next())
  if (random.chance(0.005)) gain -= followers * (0.003 + 0.006 * random.next())
  return Math.round(gain)
}

/** People come and go by ones and twos, on large accounts only. */
function wobble(seed: string, account: Account, t: number): number {
  if (account.followers < 10_000) return 0
  return Math.floor(hashUnit(seed, account.id, 'wobble', Math.floor(t / WOBBLE_MS)) * 4) - 1
}
