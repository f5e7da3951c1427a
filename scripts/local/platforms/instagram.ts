import { createInstagramViews } from './instagram-views.ts'
import { createMetaHandler, type MetaHandlerOptions } from './meta.ts'
import type { WebHandler } from './platform-handler.ts'
import type { World } from './world.ts'

/** Answers as the Graph API does for Instagram, with Facebook's sign-in, from the world as of the handler's clock. */
export function createInstagramHandler(world: World, options: MetaHandlerOptions = {}): WebHandler {
  return createMetaHandler(world, createInstagramViews(world), options)
}
