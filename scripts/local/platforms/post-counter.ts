import { elementAt } from './random.ts'
import type { Item, Schedule } from './schedule.ts'
import type { Account } from './types.ts'

/** Counts an account's posts without walking through its history each time. */
export interface PostCounter {
  /** How many entries that count had appeared at t. */
  count(account: Account, t: number): number
  /** Tells that an entry was added to the schedule at that moment. */
  invalidate(account: Account, at: number): void
}

/** @param counts whether an entry belongs to the account's number of posts */
export function createPostCounter(schedule: Schedule, counts: (item: Item) => boolean): PostCounter {
  // Sums of whole days since the account's first day, the sum before the first day being 0.
  const sums = new Map<string, number[]>()
  return {
    count: (account, t) => {
      const today = schedule.dayOf(account, t)
      const wholeDays = today - schedule.firstDay(account)
      if (wholeDays < 0) return 0
      let known = sums.get(account.id)
      if (!known) {
        known = [0]
        sums.set(account.id, known)
      }
      while (known.length <= wholeDays) {
        const day = schedule.firstDay(account) + known.length - 1
        const ofDay = schedule.itemsOfDay(account, day).filter(counts).length
        known.push(elementAt(known, known.length - 1) + ofDay)
      }
      const soFar = schedule.itemsOfDay(account, today).filter((item) => item.at <= t && counts(item)).length
      return elementAt(known, wholeDays) + soFar
    },
    invalidate: (account, at) => {
      const known = sums.get(account.id)
      const day = schedule.dayOf(account, at) - schedule.firstDay(account)
      if (known && known.length > day + 1) known.length = Math.max(1, day + 1)
    },
  }
}
