import type { World } from './world.ts'

/**
 * The world as it is seen by who is shown one moment of it, whatever the clock says: what was posted, counted
 * and deleted by then. Faults, tokens and limits are of the present all the same.
 * @param shownMs the moment, in epoch milliseconds; asked every time
 */
export function showMoment(world: World, shownMs: () => number): World {
  return {
    ...world,
    account: (platform, handleOrId) => world.account(platform, handleOrId, shownMs()),
    profileAt: (account) => world.profileAt(account, shownMs()),
    namesAt: (account) => world.namesAt(account, shownMs()),
    posts: (account, query) => world.posts(account, { ...query, t: shownMs() }),
    post: (platform, id) => world.post(platform, id, shownMs()),
    entry: (platform, id) => world.entry(platform, id, shownMs()),
    isReadable: (view) => world.isReadable(view, shownMs()),
    metricsAt: (platform, id) => world.metricsAt(platform, id, shownMs()),
  }
}
