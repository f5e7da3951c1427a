import type { Locator, Page } from 'playwright-core'

/** Resolves when the page shows what was asked for, and nothing is on its way. */
export async function untilShown(page: Page): Promise<void> {
  await page.waitForFunction(
    () => document.querySelector('h1') !== null && document.querySelector('.skeleton, .is-busy') === null,
  )
}

/** Resolves when the words beside the live dot begin like this. */
export function untilLiveWordsAre(page: Page, words: 'Live' | 'Reconnecting', timeoutMs = 20_000) {
  return page
    .locator('.live-words')
    .filter({ hasText: new RegExp(`^${words}`) })
    .waitFor({ timeout: timeoutMs })
}

/** A key figure of the overview, by its label. */
export function keyFigure(page: Page, label: string): Locator {
  return page
    .getByRole('region', { name: 'Key figures' })
    .getByRole('button')
    .filter({ has: page.getByText(label, { exact: true }) })
}

/** What a key figure says, without its change; `null` where it has no number. */
export async function keyFigureText(page: Page, label: string): Promise<string | null> {
  const value = keyFigure(page, label).locator('.figure-value')
  return (await value.count()) === 0 ? null : value.innerText()
}

/** The ids of the posts that are listed, in their order. */
export function listedPosts(page: Page): Promise<string[]> {
  return page
    .locator('tbody th a[href^="/posts/"]')
    .evaluateAll((links) => links.map((link) => link.getAttribute('href')?.slice('/posts/'.length) ?? ''))
}

/** Leaves a mark in the page, and tells later whether it is still the same one, not loaded anew. */
export async function markPage(page: Page): Promise<() => Promise<boolean>> {
  await page.evaluate(() => document.documentElement.setAttribute('data-mark', ''))
  return () => page.evaluate(() => document.documentElement.hasAttribute('data-mark'))
}

const COUNT = new Intl.NumberFormat('en-US')
const RATE = new Intl.NumberFormat('en-US', { style: 'percent', minimumFractionDigits: 2 })

/** A count as an American reads it. */
export const countText = (value: number) => COUNT.format(value)

/** A rate as an American reads it, with two decimals. */
export const rateText = (value: number) => RATE.format(value)
