import { runAction } from '../../scripts/local/platforms/actions.ts'
import { NETWORKS } from '../../scripts/local/platforms/networks.ts'
import type { Random } from '../../scripts/local/platforms/random.ts'
import type { World } from '../../scripts/local/platforms/world.ts'
import { nowAndThen } from './patience.ts'
import type { Toll } from './toll.ts'

const EVERY_MS = 3_000
/** How likely somebody publishes, and how likely something happens to a post of theirs, each time. */
const PUBLISHES = 0.012
const IS_TOUCHED = 0.1
const NEWEST = 12

/** People publish, like, edit and delete, until the signal says otherwise. */
export function live(world: World, random: Random, toll: Toll, signal: AbortSignal): Promise<void> {
  const words = () => `Number ${random.int(1, 9_999)} #${random.pick(['ebb', 'tide', 'flood', 'neap'])}`
  return nowAndThen(
    signal,
    () => EVERY_MS,
    async () => {
      for (const account of world.accounts()) {
        const { platform, id } = account
        if (random.chance(PUBLISHES)) {
          runAction(world, 'publish', { platform, account: id, text: words(), growth: 'organic' })
          toll.posts += 1
        }
        if (!random.chance(IS_TOUCHED)) continue
        const shown = world.posts(account, { t: world.now(), limit: NEWEST, where: isOwn })
        if (shown.length === 0) continue
        const post = random.pick(shown).id
        const roll = random.next()
        if (roll < 0.8) {
          const counts = { likes: random.int(-3, 20), replies: random.int(0, 3) }
          runAction(world, 'adjust', { platform, post, ...counts })
          toll.likes += 1
        } else if (roll < 0.9 && NETWORKS[platform].canEdit) {
          runAction(world, 'edit', { platform, post, text: words() })
          toll.edits += 1
        } else if (roll >= 0.94) {
          runAction(world, 'delete', { platform, post })
          toll.deletions += 1
        }
      }
    },
  )
}

const isOwn = ({ kind }: { kind: string }): boolean => kind === 'post'
