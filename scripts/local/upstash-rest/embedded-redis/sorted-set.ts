export interface ScoredMember {
  member: string
  score: number
}

/** One end of a score range: `(5` is exclusive. */
export interface ScoreBound {
  score: number
  exclusive: boolean
}

/** Members ordered by score, then bytewise: a map for look-ups beside a sorted array for ranges. */
export class SortedSet {
  readonly #scores = new Map<string, number>()
  readonly #ordered: ScoredMember[] = []

  get size(): number {
    return this.#ordered.length
  }

  score(member: string): number | undefined {
    return this.#scores.get(member)
  }

  /** All members in order; not to be changed. */
  get ordered(): readonly ScoredMember[] {
    return this.#ordered
  }

  set(member: string, score: number): void {
    const previous = this.#scores.get(member)
    if (previous === score) return
    if (previous !== undefined) this.#ordered.splice(this.#position(member, previous), 1)
    this.#scores.set(member, score)
    this.#ordered.splice(this.#position(member, score), 0, { member, score })
  }

  delete(member: string): boolean {
    const score = this.#scores.get(member)
    if (score === undefined) return false
    this.#ordered.splice(this.#position(member, score), 1)
    return this.#scores.delete(member)
  }

  /** Removes `count` members from a position on, and returns them. */
  removeAt(start: number, count: number): ScoredMember[] {
    const removed = this.#ordered.splice(start, count)
    for (const { member } of removed) this.#scores.delete(member)
    return removed
  }

  /** 0-based position from the lowest score. */
  rank(member: string): number | undefined {
    const score = this.#scores.get(member)
    return score === undefined ? undefined : this.#position(member, score)
  }

  /** The positions `[start, end)` of the members between two scores. */
  scoreSpan(min: ScoreBound, max: ScoreBound): { start: number; end: number } {
    const start = this.#firstIndex(({ score }) => (min.exclusive ? score > min.score : score >= min.score))
    const end = this.#firstIndex(({ score }) => (max.exclusive ? score >= max.score : score > max.score))
    return { start, end: Math.max(start, end) }
  }

  #position(member: string, score: number): number {
    return this.#firstIndex((item) => item.score > score || (item.score === score && item.member >= member))
  }

  /** The first index whose item satisfies a test that all later items satisfy too. */
  #firstIndex(test: (item: ScoredMember) => boolean): number {
    let low = 0
    let high = this.#ordered.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const item = this.#ordered[middle]
      if (item !== undefined && test(item)) high = middle
      else low = middle + 1
    }
    return low
  }
}
