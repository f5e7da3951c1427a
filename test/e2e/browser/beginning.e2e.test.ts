import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { expectProblem } from '../support/client.ts'
import { freshEmail, type Person, signUp } from '../support/people.ts'
import { holdWorld, releaseWorld, startPlanning } from '../support/stack.ts'
import { chromiumPath, useBrowser } from './support/browser.ts'
import { untilFiguresAreOf } from './support/overview.ts'
import { markPage, untilLiveWordsAre } from './support/page.ts'
import { signIn, signOut } from './support/sign-in.ts'

const HANDLE = 'lanternfish.example.com'
const NAME = 'Lanternfish Games'
const PASSWORD = 'high water 10'

describe.skipIf(chromiumPath === undefined)('beginning, in a browser (needs CHROMIUM_PATH)', () => {
  const { visit } = useBrowser()
  let newcomer: Person

  beforeAll(async () => {
    await holdWorld()
    await startPlanning()
    newcomer = await signUp('Newcomer')
  })
  afterAll(releaseWorld)

  it('leads from signing up to figures that fill by themselves', async () => {
    const { page, complaints } = await visit()
    await page.goto('/')
    await page.getByRole('link', { name: 'Create account' }).click()
    await page.getByLabel('Name').fill('Mara')
    await page.getByLabel('E-mail').fill(freshEmail())
    await page.getByRole('textbox', { name: 'Password' }).fill(PASSWORD)
    await page.getByRole('button', { name: 'Create account' }).click()

    await page.getByRole('heading', { name: 'Nothing is measured yet' }).waitFor()
    const isSamePage = await markPage(page)
    await page.getByRole('button', { name: 'Connect an account' }).click()
    await page.getByRole('textbox', { name: 'Handle or address' }).fill(HANDLE)
    await page.getByRole('button', { name: 'Connect', exact: true }).click()
    await page.getByRole('heading', { name: 'Account connected' }).waitFor()
    await page.getByText('Its recent posts are in.').waitFor()
    await page.getByRole('button', { name: 'Done' }).click()

    await untilLiveWordsAre(page, 'Live')
    await page.getByRole('link', { name: NAME, exact: true }).first().waitFor()
    await untilFiguresAreOf(page, 'period=28d', ({ totals }) => !totals.posts.value)
    expect(await isSamePage()).toBe(true)
    expect(complaints).toEqual([])
  })

  it('says in the words of the API that a handle does not exist, and keeps it for correcting', async () => {
    const asked = { platform: 'bluesky', handle: 'nobody-of-this-name.example.com' }
    const answer = await newcomer.key.post('/api/v1/accounts', asked)
    const { detail } = expectProblem(answer, 422, 'account_not_found')
    const { page } = await visit({ as: newcomer })
    await page.goto('/')
    await page.getByRole('button', { name: 'Connect an account' }).click()
    const handle = page.getByRole('textbox', { name: 'Handle or address' })
    await handle.fill(asked.handle)
    await page.getByRole('button', { name: 'Connect', exact: true }).click()
    await page.getByRole('dialog').getByRole('alert').filter({ hasText: detail }).waitFor()
    expect(await handle.inputValue()).toBe(asked.handle)
  })

  it('leads back to the address that was asked for, after signing out and in', async () => {
    // Somebody of their own: signing out ends the session everywhere.
    const person = await signUp('Leaver')
    const { page } = await visit({ as: person })
    await page.goto('/')
    await signOut(page)
    await page.goto('/imports?from=elsewhere')
    await page.getByRole('heading', { name: 'Welcome back' }).waitFor()
    await signIn(page, person.email, 'not the right one')
    await page.getByRole('alert').getByText('do not belong together').waitFor()
    await signIn(page, person.email, person.password)
    await page.getByRole('heading', { level: 1, name: 'Imports' }).waitFor()
    expect(page.url()).toMatch(/\/imports\?from=elsewhere$/)
  })

  it('opens and leaves the dialog by keyboard alone, and gives the focus back', async () => {
    const { page } = await visit({ as: newcomer })
    await page.goto('/')
    const button = page.getByRole('button', { name: 'Connect an account' })
    await button.waitFor()
    const focused = () => page.evaluate(() => document.activeElement?.textContent?.trim() ?? '')
    await page.keyboard.press('Tab')
    expect(await focused()).toBe('Skip to the content')
    for (let presses = 0; presses < 20 && (await focused()) !== 'Connect an account'; presses += 1)
      await page.keyboard.press('Tab')
    expect(await focused()).toBe('Connect an account')

    await page.keyboard.press('Enter')
    await page.getByRole('dialog', { name: 'Connect an account' }).waitFor()
    await page.keyboard.type('name.bsky.social')
    expect(await page.getByRole('textbox', { name: 'Handle or address' }).inputValue()).toBe(
      'name.bsky.social',
    )
    await page.keyboard.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'hidden' })
    expect(await focused()).toBe('Connect an account')
  })
})
