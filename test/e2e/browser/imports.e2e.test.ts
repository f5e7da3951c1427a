import { beforeAll, describe, expect, it } from 'vitest'
import { type Person, signUp } from '../support/people.ts'
import { chromiumPath, useBrowser } from './support/browser.ts'

const CSV = [
  'post_id,posted_at,text,likes,comments',
  'a1,2026-10-01T10:00:00Z,"Low tide, quiet harbour",120,4',
  'a2,the day after,Nobody knows when,80,2',
  'a3,2026-10-03T10:00:00Z,Spring tide at noon #tides,310,25',
].join('\n')

describe.skipIf(chromiumPath === undefined)('imports in a browser (needs CHROMIUM_PATH)', () => {
  const { visit } = useBrowser()
  let person: Person
  beforeAll(async () => {
    person = await signUp()
  })

  it('reports what became of a file, names the line that is wrong, and shows the posts', async () => {
    const { page, complaints } = await visit({ as: person })
    await page.goto('/imports')
    await page
      .locator('input[type=file]')
      .setInputFiles({ name: 'tides.csv', mimeType: 'text/csv', buffer: Buffer.from(CSV) })
    await page.getByText('tides.csv').waitFor()
    await page.getByLabel('Platform').selectOption('instagram')
    await page.getByRole('textbox', { name: 'Account' }).fill('mellowtide')
    await page.getByRole('button', { name: 'Import', exact: true }).click()

    await page.getByRole('status').getByText('Done').waitFor()
    const counts = await page
      .locator('.import-counts > div')
      .evaluateAll((all) => all.map((one) => one.textContent))
    expect(counts).toEqual(['New2', 'Updated0', 'Unchanged0', 'Rejected1'])
    const rows = page.getByRole('region', { name: 'Rejected lines' }).locator('tbody tr')
    await rows.first().waitFor()
    const [line, column, message] = await rows.locator('td').allInnerTexts()
    expect([await rows.count(), line, column]).toEqual([1, '3', 'posted_at'])
    expect(message).toMatch(/\S+ \S+/)

    await page.getByRole('link', { name: 'See the posts' }).click()
    await page.getByRole('link', { name: 'Spring tide at noon #tides' }).waitFor()
    const likes = await page.locator('td[data-label="Likes"]').allInnerTexts()
    expect(likes).toEqual(['310', '120'])
    expect(complaints).toEqual([])
  })
})
