import { createFacebookViews } from './facebook-views.ts'
import { createMetaHandler, type MetaHandlerOptions } from './meta.ts'
import type { WebHandler } from './platform-handler.ts'
import type { World } from './world.ts'

/** Answers as the Graph API does for pages of Facebook, with its sign-in, from the world as of the handler's clock. */
export function createFacebookHandler(world: World, options: MetaHandlerOptions = {}): WebHandler {
  return createMetaHandler(world, createFacebookViews(world), options)
}
