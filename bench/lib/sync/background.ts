/** Work that nobody waits for, as a runtime keeps it alive after an answer. */
export class Background {
  readonly #underWay = new Set<Promise<unknown>>()

  readonly add = (work: Promise<unknown>): void => {
    const noted = work.catch(() => {}).finally(() => this.#underWay.delete(noted))
    this.#underWay.add(noted)
  }

  /** When all of it is done. */
  async settled(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay)
  }
}
