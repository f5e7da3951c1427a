import * as z from 'zod'
import { PLATFORMS } from '../../domain/platforms.ts'

const tallies = {
  calls: z.int(),
  /** Of those, how many the platform did not answer in order. */
  failures: z.int(),
  /** Posts, profiles and pages asked for. */
  items: z.int(),
  /** What the calls took of the platform's allowance. */
  units: z.int(),
  /** Dollars. */
  costUsd: z.number(),
}

export const Usage = z.object({
  period: z.object({ from: z.string(), to: z.string(), timezone: z.string() }),
  /** Platforms that were called, each with the whole period and every day on which it was. */
  platforms: z.array(
    z.object({
      platform: z.enum(PLATFORMS),
      ...tallies,
      /** Milliseconds that a call took on average; `null` without any. */
      meanLatencyMs: z.number().nullable(),
      days: z.array(z.object({ date: z.string(), ...tallies })),
    }),
  ),
  /** Money for paid reads. It is counted by UTC day, whatever the workspace's timezone. */
  budgets: z.array(
    z.object({
      platform: z.enum(PLATFORMS),
      dailyUsd: z.number(),
      /** `null` where the state of the budget cannot be read for the moment. */
      spentTodayUsd: z.number().nullable(),
      /** What may be spent before `moreAt`: the day's money is spread over the day. */
      leftUsd: z.number().nullable(),
      moreAt: z.string().nullable(),
    }),
  ),
})
export type Usage = z.infer<typeof Usage>
