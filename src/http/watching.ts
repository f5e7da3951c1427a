import type { ServiceContext } from '../services/context.ts'

/** Notes, after the answer, that somebody is looking at a workspace: its newest posts are kept fresh. */
export function noteWatching(ctx: ServiceContext): void {
  ctx.waitUntil(
    ctx.watchList
      .mark(ctx.workspace.id)
      .catch((error: unknown) => ctx.log.warn('watched workspace not noted', { error })),
  )
}
