import type { Page } from 'playwright-core'
import { beforeEach, describe, expect, it } from 'vitest'
import type { Authorization } from '../../../src/services/authorizations/schemas.ts'
import { type Person, signUp } from '../support/people.ts'
import { auditPage } from './support/audit.ts'
import { chromiumPath, useBrowser, type Visit } from './support/browser.ts'
import { untilShown } from './support/page.ts'

const BEGUN = '**/api/v1/accounts/authorizations'
const PLATFORM_PAGE = 'https://platform.example/authorize'

const granted = (externalId: string, displayName: string): Authorization['accounts'][number] => ({
  ...{ externalId, displayName, handle: `handle.${externalId}` },
  ...{ avatarUrl: null, followers: 1_200, connectedAccountId: null },
})

const AUTHORIZATION: Authorization = {
  id: 'begun',
  platform: 'instagram',
  status: 'granted',
  reason: null,
  accounts: [granted('1', 'Harbour Books'), granted('2', 'Saltmarsh Pottery')],
  expiresAt: new Date(Date.now() + 1_800_000).toISOString(),
}

describe.skipIf(chromiumPath === undefined)('connecting, in a browser (needs CHROMIUM_PATH)', () => {
  const { visit } = useBrowser()
  let person: Person
  let page: Page
  let complaints: Visit['complaints']

  beforeEach(async () => {
    person ??= await signUp()
    ;({ page, complaints } = await visit({ as: person }))
  })

  /** Answers in place of a deployment that has an app at the platform. Resolves with what was asked. */
  async function standIn(authorization: Authorization) {
    const begun: unknown[] = []
    const chosen: unknown[] = []
    await page.route(BEGUN, async (route) => {
      begun.push(route.request().postDataJSON())
      const { id, expiresAt } = authorization
      await route.fulfill({ status: 201, json: { id, expiresAt, url: PLATFORM_PAGE } })
    })
    await page.route(`${BEGUN}/${authorization.id}`, (route) => route.fulfill({ json: authorization }))
    await page.route(`${BEGUN}/${authorization.id}/connect`, async (route) => {
      chosen.push(route.request().postDataJSON())
      await route.fulfill({ status: 201, json: { items: [] } })
    })
    await page.route(`${PLATFORM_PAGE}**`, (route) =>
      route.fulfill({ contentType: 'text/html', body: '<!doctype html><title>There</title><h1>Agree?</h1>' }),
    )
    return { begun, chosen }
  }

  const openDialog = async () => {
    await page.goto('/accounts')
    await page.getByRole('button', { name: 'Connect an account' }).click()
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
    const { begun, chosen } = await standIn(AUTHORIZATION)
    const handle = await openDialog()
    await handle.fill('https://www.instagram.com/harbour.books')
    await page.getByRole('button', { name: 'Continue at Instagram' }).click()
    await page.getByRole('heading', { name: 'Agree?' }).waitFor()
    expect(begun).toEqual([{ platform: 'instagram' }])

    await page.goto('/connect?authorization=begun')
    await untilShown(page)
    expect(await auditPage(page)).toEqual([])
    await page.getByText('0 of 2 chosen').waitFor()
    await page.getByRole('checkbox', { name: /Saltmarsh Pottery/ }).check()
    await page.getByRole('button', { name: 'Connect 1 account' }).click()
    await page.getByRole('heading', { level: 1, name: 'Accounts' }).waitFor()
    expect(chosen).toEqual([{ externalIds: ['2'] }])
    expect(complaints).toEqual([])
  })

  it('says why there is nothing to connect, and begins the same again', async () => {
    const reason = 'Nobody agreed at Instagram, so there is nothing to connect.'
    const { begun } = await standIn({ ...AUTHORIZATION, status: 'refused', reason, accounts: [] })
    await page.addInitScript(() =>
      sessionStorage.setItem('tidemark.authorization.begun', JSON.stringify({ accountId: 'a1' })),
    )
    await page.goto('/connect?authorization=begun')
    await page.getByText(reason).waitFor()
    expect(await auditPage(page)).toEqual([])
    await page.getByRole('button', { name: 'Try again' }).click()
    await page.getByRole('heading', { name: 'Agree?' }).waitFor()
    expect(begun).toEqual([{ platform: 'instagram', accountId: 'a1' }])
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
