import type { Page } from 'playwright-core'
import { beforeEach, describe, expect, it } from 'vitest'
import { Account } from '../../../src/services/accounts/schemas.ts'
import { untilComplete } from '../support/accounts.ts'
import { type Person, signUp } from '../support/people.ts'
import { startPlanning } from '../support/stack.ts'
import { until } from '../support/wait.ts'
import { act } from '../support/world.ts'
import { auditPage } from './support/audit.ts'
import { chromiumPath, useBrowser, type Visit } from './support/browser.ts'
import { untilShown } from './support/page.ts'

const BEGUN = '**/api/v1/accounts/authorizations'

describe.skipIf(chromiumPath === undefined)('connecting, in a browser (needs CHROMIUM_PATH)', () => {
  const { visit } = useBrowser()
  let person: Person
  let page: Page
  let complaints: Visit['complaints']

  beforeEach(async () => {
    person ??= await signUp()
    ;({ page, complaints } = await visit({ as: person }))
    // The simulated platforms' pages have no icon, which a browser asks for all the same.
    await page.route('**/favicon.ico', (route) => route.fulfill({ status: 204 }))
  })

  const accountsOf = (platform: string) =>
    person.key
      .readAll(Account, '/api/v1/accounts?limit=100')
      .then((accounts) => accounts.filter((account) => account.platform === platform))

  /** What somebody answers on the platform's own page. */
  const answerThere = async (label: string) => {
    await page.getByRole('heading', { name: 'Which account may be read?' }).waitFor()
    await page.getByRole('button', { name: label }).click()
  }

  const openDialog = async () => {
    await page.goto('/accounts')
    await page.getByRole('button', { name: /^Connect (an )?account$/ }).click()
    return page.getByRole('textbox', { name: 'Handle or address' })
  }

  it('recognises the platform of a pasted address, and names it where another one was chosen', async () => {
    const handle = await openDialog()
    await handle.fill('https://www.youtube.com/@saltmarsh')
    expect(await page.getByRole('radio', { name: 'YouTube' }).isChecked()).toBe(true)
    await page.getByRole('radio', { name: 'Reddit' }).check({ force: true })
    await page.getByText('This looks like YouTube, not Reddit.').waitFor()
    await page.getByRole('button', { name: 'Choose YouTube' }).click()
    expect(await page.getByRole('radio', { name: 'YouTube' }).isChecked()).toBe(true)
    await page.getByText('Looks like YouTube.').waitFor()
    expect(complaints).toEqual([])
  })

  it('goes to where people sign in, and connects what they choose when they are back', async () => {
    const handle = await openDialog()
    await handle.fill('https://www.instagram.com/harbourroast')
    await page.getByRole('button', { name: 'Continue at Instagram' }).click()
    await answerThere('All of them')
    await page.getByText('0 of 2 chosen').waitFor()
    await untilShown(page)
    expect(await auditPage(page)).toEqual([])
    await page.getByRole('checkbox', { name: /Harbour Roast/ }).check()
    await page.getByRole('button', { name: 'Connect 1 account' }).click()
    await page.getByRole('heading', { level: 1, name: 'Accounts' }).waitFor()
    await page.getByRole('row', { name: /Harbour Roast/ }).waitFor()
    const accounts = await accountsOf('instagram')
    expect(accounts.map((account) => account.handle)).toEqual(['harbourroast'])
    expect(complaints).toEqual([])
  })

  it('reads an account again whose access ended, though its owner refuses at first', async () => {
    await openDialog()
    await page.getByRole('radio', { name: 'TikTok' }).check({ force: true })
    await page.getByRole('button', { name: 'Continue at TikTok' }).click()
    await answerThere('Spoke & Chain (@spokeandchain)')
    await page.getByRole('button', { name: 'Connect 1 account' }).click()
    await page.getByRole('row', { name: /Spoke & Chain/ }).waitFor()
    const [connected] = await accountsOf('tiktok')
    const { id = '' } = connected ?? {}
    await startPlanning()
    await untilComplete(person.key, id)
    await act('revoke-tokens', { platform: 'tiktok', account: 'spokeandchain' })
    await person.key.post(`/api/v1/accounts/${id}/sync`)
    await until('the account needs access', async () => {
      const { status } = await person.key.read(Account, `/api/v1/accounts/${id}`)
      return status === 'needs_auth' ? true : null
    })

    await page.goto(`/accounts/${id}`)
    await page.getByRole('button', { name: /^Sign in again/ }).click()
    await answerThere('Refuse')
    await page.getByText('You did not agree').waitFor()
    await untilShown(page)
    expect(await auditPage(page)).toEqual([])
    await page.getByRole('button', { name: 'Try again' }).click()
    await answerThere('Spoke & Chain (@spokeandchain)')
    await page.getByText('Needs access').waitFor()
    await page.getByRole('button', { name: 'Connect 1 account' }).click()
    await page.getByText(/Spoke & Chain is read again/).waitFor()
    const after = await accountsOf('tiktok')
    expect(after).toMatchObject([{ id, status: 'active' }])
    expect(complaints).toEqual([])
  })

  it('offers an import where the deployment has no app at the platform', async () => {
    const problem = { code: 'platform_unsupported', detail: 'This deployment has no app at LinkedIn yet.' }
    await page.route(BEGUN, (route) =>
      route.fulfill({ status: 422, contentType: 'application/problem+json', json: problem }),
    )
    await openDialog()
    await page.getByRole('radio', { name: 'LinkedIn' }).check({ force: true })
    await page.getByRole('button', { name: 'Continue at LinkedIn' }).click()
    const alert = page.getByRole('dialog').getByRole('alert')
    await alert.getByText(problem.detail).waitFor()
    await alert.getByRole('link', { name: 'Import a file' }).click()
    await page.getByRole('heading', { level: 1, name: 'Imports' }).waitFor()
  })
})
