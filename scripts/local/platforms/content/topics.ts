import { astronomy, climate, games, maps, podcast, science } from './topics-knowledge.ts'
import { bikes, coffee, museum, noodles, radio, transit } from './topics-town.ts'

/** Every topic that an account can be about. */
export const TOPICS = {
  astronomy,
  bikes,
  climate,
  coffee,
  games,
  maps,
  museum,
  noodles,
  podcast,
  radio,
  science,
  transit,
} as const

export type TopicName = keyof typeof TOPICS
