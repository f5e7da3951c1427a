import type { Page } from 'playwright-core'
import { expect } from 'vitest'
import { Overview } from '../../../../src/services/overview/schemas.ts'
import { until } from '../../support/wait.ts'
import { countText, keyFigureText, rateText } from './page.ts'

/** Key figures by their label, and how they are written. */
const FIGURES = [
  ['Followers', 'followers', countText],
  ['Engagements', 'engagements', countText],
  ['Engagement rate', 'engagementRateByFollowers', rateText],
  ['Posts', 'posts', countText],
  ['Likes', 'likes', countText],
  ['Comments', 'comments', countText],
  ['Shares', 'shares', countText],
] as const

/** Above every generation that there is, which stands for the newest. */
const NEWEST = 1_000_000_000

/** What the API says to whoever uses this page, past what it remembers of a moment ago. */
export async function overviewOf(page: Page, query: string): Promise<Overview> {
  const response = await page.request.get(`/api/v1/dashboard/overview?${query}&minGeneration=${NEWEST}`)
  return Overview.parse(await response.json())
}

/**
 * Resolves with the API's answer once the page shows its figures.
 * @param query what the page is expected to have asked
 * @param isLate whether the API's own answer is still waited for
 */
export async function untilFiguresAreOf(
  page: Page,
  query: string,
  isLate: (overview: Overview) => boolean = () => false,
): Promise<Overview> {
  let expected: Record<string, string | null> = {}
  let shown: Record<string, string | null> = {}
  const match = until('the figures are those of the API', async () => {
    const overview = await overviewOf(page, query)
    expected = {}
    shown = {}
    for (const [label, metric, write] of FIGURES) {
      const { value } = overview.totals[metric]
      expected[label] = value === null ? null : write(value)
      shown[label] = await keyFigureText(page, label)
    }
    return JSON.stringify(shown) === JSON.stringify(expected) && !isLate(overview) ? overview : null
  })
  return match.catch((error: unknown) => {
    expect(shown).toEqual(expected)
    throw error
  })
}
