/** How often each thing has happened: chaos in which nothing happens proves nothing. */
export interface Toll {
  workerKills: number
  syncKills: number
  redisKills: number
  postgresKills: number
  /** Deliveries of the queue that came late, once more, or whose answer was lost. */
  held: number
  repeated: number
  answersLost: number
  /** Of platforms. */
  faults: number
  tokensExpired: number
  posts: number
  likes: number
  edits: number
  deletions: number
}

export function emptyToll(): Toll {
  return {
    ...{
      workerKills: 0,
      syncKills: 0,
      redisKills: 0,
      postgresKills: 0,
      held: 0,
      repeated: 0,
      answersLost: 0,
    },
    ...{ faults: 0, tokensExpired: 0, posts: 0, likes: 0, edits: 0, deletions: 0 },
  }
}

/** What else is known while it goes on. */
export interface Progress {
  /** Messages whose work was done, and those that were given up. */
  delivered: number
  dead: number
  /** Attempts that failed. */
  failed: number
  /** Events that the listener was told, and connections that it made. */
  events: number
  connections: number
}

/** One line for a person. */
export function describe(toll: Toll, progress: Progress): string {
  const { delivered, dead, failed, events, connections } = progress
  return [
    `kills ${toll.workerKills} worker ${toll.syncKills} sync ${toll.redisKills} redis ${toll.postgresKills} postgres`,
    `queue ${delivered} delivered ${failed} failed ${dead} dead ${toll.held} late ${toll.repeated} twice ${toll.answersLost} unanswered`,
    `platforms ${toll.faults} faults ${toll.tokensExpired} expiries`,
    `people ${toll.posts} posts ${toll.likes} likes ${toll.edits} edits ${toll.deletions} deletions`,
    `live ${events} events ${connections} connections`,
  ].join(' | ')
}
