import { markPublicTold, type UntoldPublicTrends } from '../../db/queries/public-trends.ts'
import { TRENDING_WINDOWS } from '../../domain/trending.ts'
import { PUBLIC_SCOPE } from '../../ports.ts'
import type { ServiceDeps } from '../context.ts'

/**
 * Tells the caches, and then whoever listens to the public, of lists that are stored. A failure is logged and left
 * to the sweeper: what has not been told stays noted beside the generation.
 */
export async function tellPublicTrends(
  deps: Pick<ServiceDeps, 'db' | 'generations' | 'hub' | 'log' | 'waitUntil'>,
  { generation, windows }: UntoldPublicTrends,
): Promise<void> {
  const told = TRENDING_WINDOWS.filter((window) => windows.includes(window))
  try {
    await deps.generations.raise(PUBLIC_SCOPE, generation)
    await deps.hub.publish(PUBLIC_SCOPE, [
      { generation, events: [{ type: 'trending.updated', data: { scope: 'public', windows: told } }] },
    ])
  } catch (error) {
    deps.log.warn('public trends not told; the sweeper will', { generation, error })
    return
  }
  deps.waitUntil(
    deps.db
      .outside(markPublicTold(generation))
      .catch((error: unknown) => deps.log.warn('told public trends not marked', { generation, error })),
  )
}
