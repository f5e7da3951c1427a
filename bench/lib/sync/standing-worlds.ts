import { createWorld, type World } from '../../../scripts/local/platforms/index.ts'
import { showMoment } from '../../../scripts/local/platforms/shown-moment.ts'
import { PLATFORMS, type Platform } from '../../../src/domain/platforms.ts'
import type { Clock } from '../../../src/ports.ts'
import { forEach } from '../rounds.ts'
import { castOf, historyDaysOf } from './cast.ts'

const DAY_MS = 86_400_000
const SEED = 'tidemark'

/**
 * A world for each platform. What can be seen of them stands still until they are told to go on, while limits
 * and tokens run by the clock: so that what was read can be compared with the truth, however long that took.
 */
export class StandingWorlds {
  readonly #worlds: Record<Platform, World>
  readonly #standing: Record<Platform, World>
  /** The moments that were shown, in order. */
  readonly #shownMs: number[]

  constructor(options: { clock: Clock; accountsPerPlatform: number }) {
    const { clock, accountsPerPlatform } = options
    const nowMs = clock.now()
    this.#shownMs = [nowMs]
    this.#worlds = forEach(PLATFORMS, (platform) =>
      createWorld({
        seed: SEED,
        now: clock.now,
        epoch: Math.floor(nowMs / DAY_MS - historyDaysOf(platform)) * DAY_MS,
        accounts: castOf(SEED, platform, accountsPerPlatform),
      }),
    )
    this.#standing = forEach(PLATFORMS, (platform) =>
      showMoment(this.#worlds[platform], () => this.#shownMs.at(-1) ?? 0),
    )
  }

  /** As its handlers are to see it. */
  of(platform: Platform): World {
    return this.#standing[platform]
  }

  /** As it is at any moment. */
  truthOf(platform: Platform): World {
    return this.#worlds[platform]
  }

  /** Shows another moment from now on (milliseconds since 1970). */
  goOnTo(ms: number): void {
    this.#shownMs.push(ms)
  }

  /** The moment that was shown to whoever asked at another. */
  shownAt(ms: number): number {
    const shown = this.#shownMs.findLast((from) => from <= ms)
    if (shown === undefined) throw new RangeError('Nothing was shown yet')
    return shown
  }
}
