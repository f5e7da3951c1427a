import type { AccountFilter, Basis } from '../db/queries/overview.ts'
import { type Comparison, periodOf } from '../domain/periods.ts'
import type { Computed } from '../ports.ts'
import type { ServiceContext } from './context.ts'
import type { TrendingInput } from './hashtags/compute-trending.ts'

/**
 * Questions that are kept warm, normalised. The question, and the brands that whoever asks is limited to, are all
 * that their answers depend on: so they can be answered again without anybody asking (`rephrase.ts`). What
 * asks the database is loaded when a cache has no answer.
 */

export interface OverviewQuestion {
  /** Days of the timezone, both included. */
  from: string
  to: string
  timezone: string
  compare: Comparison
  basis: Basis
  filter: AccountFilter
}

export type TrendingQuestion = TrendingInput

/** For whom a question is answered: `db` finds the accounts of their brands alone. */
export interface AskedBy extends Pick<ServiceContext, 'db' | 'clock' | 'workspace'> {
  /** Brands that they are limited to; `null`: none. */
  reach: readonly string[] | null
}

export async function answerOverview(by: AskedBy, question: OverviewQuestion): Promise<Computed> {
  const { getOverview } = await import('./overview/get-overview.ts')
  const { from, to, timezone, ...input } = question
  const value = await getOverview(by, { ...input, period: periodOf(from, to, timezone) })
  return { generation: value.generation, value }
}

export async function answerTrending(by: AskedBy, question: TrendingQuestion): Promise<Computed> {
  const { getTrendingHashtags } = await import('./hashtags/get-trending-hashtags.ts')
  const value = await getTrendingHashtags(by, question)
  return { generation: value.generation, value }
}
