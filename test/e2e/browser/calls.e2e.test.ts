import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { SyncState } from '../../../src/services/ops/schemas.ts'
import { Usage } from '../../../src/services/usage/schemas.ts'
import { connect, untilComplete } from '../support/accounts.ts'
import { bearer, type Person, signUp } from '../support/people.ts'
import { stack, startPlanning } from '../support/stack.ts'
import { until } from '../support/wait.ts'
import { auditPage } from './support/audit.ts'
import { chromiumPath, useBrowser } from './support/browser.ts'
import { countText, untilShown } from './support/page.ts'
import { signIn } from './support/sign-in.ts'

describe.skipIf(chromiumPath === undefined)('calls, in a browser (needs CHROMIUM_PATH)', () => {
  const { visit } = useBrowser()
  const operator = bearer(stack.apiKey)
  let person: Person
  let accountId: string

  beforeAll(async () => {
    await startPlanning()
    person = await signUp()
    const { id } = await connect(person.key, 'mastodon', 'ferrocast')
    await untilComplete(person.key, id)
    accountId = id
  })
  afterEach(() => operator.post('/api/v1/ops/sync/resume', { platform: 'reddit' }))

  it('are counted as the API counts them', async () => {
    const { page, complaints } = await visit({ as: person })
    const row = page.getByRole('row', { name: /^Mastodon/ })
    await until('the page shows the calls of the API', async () => {
      await page.goto('/settings/usage?period=7d')
      await untilShown(page)
      const { platforms } = await person.key.read(Usage, '/api/v1/usage?period=7d')
      const calls = platforms.find(({ platform }) => platform === 'mastodon')?.calls ?? 0
      const shown = (await row.count()) === 0 ? null : await row.getByRole('cell').first().innerText()
      return calls > 0 && shown === countText(calls) ? true : null
    })
    expect(await auditPage(page)).toEqual([])
    expect(complaints).toEqual([])
  })

  it('leave an account with when it was read, and when it is next', async () => {
    const { page, complaints } = await visit({ as: person })
    await page.goto(`/accounts/${accountId}`)
    await untilShown(page)
    const fact = (name: string) => page.locator('dt', { hasText: name }).locator('..').locator('time')
    for (const name of ['Last read', 'Next due'])
      expect(Date.parse((await fact(name).getAttribute('datetime')) ?? '')).not.toBeNaN()
    await page.getByText('Not available on Mastodon').first().waitFor()
    expect(complaints).toEqual([])
  })

  it('are stopped and resumed by an operator, who is asked first', async () => {
    const { page, complaints } = await visit()
    await page.goto('/operator')
    await signIn(page, stack.email, stack.password)
    await page.getByRole('button', { name: 'Stop calls to Reddit' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click()
    const paused = async () =>
      (await operator.read(SyncState, '/api/v1/ops/budgets')).paused.includes('reddit')
    expect(await paused()).toBe(false)

    await page.getByRole('button', { name: 'Stop calls to Reddit' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Stop calls' }).click()
    await page.getByText('Calls to Reddit are stopped.').waitFor()
    expect(await paused()).toBe(true)
    await page.getByRole('button', { name: 'Resume calls to Reddit' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Resume calls' }).click()
    await page.getByText('Calls to Reddit go on.').waitFor()
    expect(await paused()).toBe(false)
    await untilShown(page)
    expect(await auditPage(page)).toEqual([])
    expect(complaints.filter((text) => !text.includes('401'))).toEqual([])
  })
})
