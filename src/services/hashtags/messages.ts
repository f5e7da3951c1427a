import * as z from 'zod'

/** Work out a workspace's trending hashtags ahead. */
export const RefreshTrendingMessage = z.object({ workspaceId: z.uuid() })
export type RefreshTrendingMessage = z.infer<typeof RefreshTrendingMessage>
