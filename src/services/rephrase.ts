import * as z from 'zod'
import { limitedToBrands } from '../db/client.ts'
import { PLATFORMS } from '../domain/platforms.ts'
import type { Rephrase } from '../ports.ts'
import type { ServiceDeps } from './context.ts'
import { TRENDING_SCOPES, TRENDING_SORTS, TRENDING_WINDOWS } from './hashtags/schemas.ts'
import { type AskedBy, answerOverview, answerTrending } from './questions.ts'

const ids = z.array(z.string())
const platforms = z.array(z.enum(PLATFORMS))

/** As an earlier or a later version of the product may have written it. */
const Recipe = z.discriminatedUnion('route', [
  z.object({
    route: z.literal('overview'),
    reach: ids.nullable(),
    question: z.object({
      from: z.string(),
      to: z.string(),
      timezone: z.string(),
      compare: z.enum(['previous', 'year', 'none']),
      basis: z.enum(['published', 'gained']),
      filter: z.object({ accounts: ids, platforms, brands: ids }),
    }),
  }),
  z.object({
    route: z.literal('trending'),
    reach: ids.nullable(),
    question: z.object({
      window: z.enum(TRENDING_WINDOWS),
      platforms,
      sort: z.enum(TRENDING_SORTS),
      limit: z.number(),
      scope: z.enum(TRENDING_SCOPES),
      brands: ids,
    }),
  }),
])

/** Puts again what somebody has asked, from its recipe, which `answerCached` has written. */
export function createRephrase({ db, clock }: Pick<ServiceDeps, 'db' | 'clock'>): Rephrase {
  return (scope, text) => {
    const recipe = Recipe.safeParse(JSON.parse(text)).data
    if (recipe === undefined) return null
    const { route, reach, question } = recipe
    const by = (timezone: string): AskedBy => ({
      db: reach === null ? db : limitedToBrands(db, reach),
      clock,
      workspace: { id: scope, timezone },
      reach,
    })
    // The timezone of the workspace is most often the question's; an overview finds out where it is not.
    return () =>
      route === 'overview'
        ? answerOverview(by(question.timezone), question)
        : answerTrending(by('UTC'), question)
  }
}
