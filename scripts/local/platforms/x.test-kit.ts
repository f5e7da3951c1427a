import { z } from 'zod'
import { createStats } from './stats.ts'
import { NOON } from './test-kit.ts'
import { createWorld } from './world.ts'
import { createXHandler, SIMULATED_BEARER_TOKEN, type XHandlerOptions } from './x.ts'
import { createXCharges } from './x-charges.ts'

/** What the tests of the simulated X share. */

const postSchema = z.looseObject({ id: z.string().regex(/^\d{19}$/), text: z.string() })
export const troubleSchema = z.looseObject({ title: z.string(), type: z.string(), resource_id: z.string() })
export const answerSchema = z.object({
  data: z.array(postSchema).min(1).optional(),
  includes: z.record(z.string(), z.array(z.looseObject({})).min(1)).optional(),
  errors: z.array(troubleSchema).min(1).optional(),
  meta: z.looseObject({ result_count: z.int(), next_token: z.string().optional() }).optional(),
})
export const userSchema = z.looseObject({ id: z.string(), name: z.string(), username: z.string() })
export const problemSchema = z.looseObject({ title: z.string(), detail: z.string(), type: z.string() })
export const invalidSchema = problemSchema.extend({
  errors: z.array(z.object({ parameters: z.record(z.string(), z.array(z.string())), message: z.string() })),
})

/** A world with its X, the bill, and a clock that can be moved on. */
export function setUp(options: Omit<XHandlerOptions, 'stats' | 'charges'> = {}) {
  let now = NOON
  const world = createWorld({ seed: 'x', now: () => now })
  const stats = createStats()
  const charges = createXCharges()
  const handler = createXHandler(world, { ...options, stats, charges })
  const account = (key: string) => {
    const found = world.accounts('x').find((one) => one.key === key)
    if (!found) throw new Error(`${key} is missing`)
    return found
  }
  const ask = async (path: string, token: string | null = SIMULATED_BEARER_TOKEN) => {
    const headers: Record<string, string> = token === null ? {} : { authorization: `Bearer ${token}` }
    const response = await handler(new Request(new URL(path, 'http://x.test'), { headers }))
    const text = await response.text()
    const { status, headers: answered } = response
    return {
      status,
      headers: answered,
      text,
      as: <S extends z.ZodType>(schema: S): z.infer<S> => schema.parse(JSON.parse(text)),
    }
  }
  return { world, stats, charges, ask, account, advance: (ms: number) => (now += ms) }
}
