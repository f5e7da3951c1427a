import { z } from 'zod'
import { PLATFORMS } from '../../../src/domain/platforms.ts'

/**
 * What the control interface does to the world, in the form in which it is kept: every event carries the
 * moment it happened, so that the world before it stays as it was.
 */

const at = z.number().int().nonnegative()
const platform = z.enum(PLATFORMS)
const delta = z.number().int().optional()

const mediaSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('images'), alts: z.array(z.string()).min(1).max(10) }),
  z.object({ type: z.literal('video'), alt: z.string().default(''), isGif: z.boolean().default(false) }),
  z.object({ type: z.literal('audio'), alt: z.string().default('') }),
  z.object({ type: z.literal('link'), url: z.url(), title: z.string(), description: z.string().default('') }),
  z.object({ type: z.literal('poll'), options: z.array(z.string()).min(2).max(4) }),
])

/** The content of a published post, apart from who wrote it when. */
export const publicationSchema = z.object({
  /** On YouTube and Reddit; by default the text's beginning. */
  title: z.string().min(1).max(300).optional(),
  text: z.string().min(1),
  extraTags: z.array(z.string().min(1)).max(8).default([]),
  language: z.string().default('en'),
  media: mediaSchema.optional(),
  contentWarning: z.string().default(''),
  isUnlisted: z.boolean().default(false),
  replyToId: z.string().optional(),
  quotedId: z.string().optional(),
  /** `organic` gathers engagement like any other post; `none` stands still but for interventions. */
  growth: z.enum(['none', 'organic']).default('none'),
})

export const deltasSchema = z.object({
  likes: delta,
  replies: delta,
  reposts: delta,
  quotes: delta,
  bookmarks: delta,
  views: delta,
  reach: delta,
})

const faultSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('outage'), status: z.number().int().min(400).max(599), isHtml: z.boolean() }),
  z.object({ kind: z.literal('squeeze'), limit: z.number().int().nonnegative() }),
  z.object({ kind: z.literal('slow'), delayMs: z.number().int().nonnegative().max(120_000) }),
  z.object({ kind: z.literal('truncate') }),
  z.object({ kind: z.literal('burst429') }),
  z.object({ kind: z.literal('malform') }),
])

export type FaultEffect = z.infer<typeof faultSchema>

export const interventionSchema = z.discriminatedUnion('verb', [
  z.object({ verb: z.literal('adjust'), at, platform, postId: z.string(), deltas: deltasSchema }),
  z.object({ verb: z.literal('follow'), at, platform, accountId: z.string(), count: z.number().int() }),
  z.object({
    verb: z.literal('publish'),
    at,
    platform,
    accountId: z.string(),
    publication: publicationSchema,
  }),
  z.object({ verb: z.literal('boost'), at, platform, accountId: z.string(), postId: z.string() }),
  z.object({ verb: z.literal('delete'), at, platform, postId: z.string() }),
  z.object({ verb: z.literal('edit'), at, platform, postId: z.string(), text: z.string().min(1) }),
  z.object({
    verb: z.literal('rename'),
    at,
    platform,
    accountId: z.string(),
    handle: z.string().min(1).optional(),
    displayName: z.string().optional(),
  }),
  z.object({ verb: z.literal('move'), at, platform, accountId: z.string(), toAccountId: z.string() }),
  z.object({
    verb: z.literal('status'),
    at,
    platform,
    accountId: z.string(),
    status: z.enum(['active', 'suspended', 'deactivated', 'deleted']),
  }),
  z.object({
    verb: z.literal('fault'),
    at,
    platform,
    untilAt: at,
    /** Part of a path that the fault is limited to. */
    pathIncludes: z.string().optional(),
    effect: faultSchema,
  }),
  z.object({ verb: z.literal('clear-faults'), at, platform }),
  /** Ends what was granted before, of one account or of all: as people do, or as time does. */
  z.object({ verb: z.literal('revoke-tokens'), at, platform, accountId: z.string().optional() }),
  z.object({ verb: z.literal('expire-tokens'), at, platform, accountId: z.string().optional() }),
])

export type Intervention = z.infer<typeof interventionSchema>
export type InterventionOf<V extends Intervention['verb']> = Extract<Intervention, { verb: V }>

/** An intervention that the world cannot carry out; the message says why. */
export class InterventionError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'InterventionError'
  }
}
