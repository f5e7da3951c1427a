import { describe, expect, it } from 'vitest'
import { Account } from '../../../src/services/accounts/schemas.ts'
import { connect, typedHandle } from '../support/accounts.ts'
import { signUp } from '../support/people.ts'
import { startPlanning } from '../support/stack.ts'
import { until } from '../support/wait.ts'
import { act } from '../support/world.ts'
import { auditPage } from './support/audit.ts'
import { chromiumPath, useBrowser } from './support/browser.ts'

const ACCOUNT = 'ferrocast'

/** Makes a token of a user of the simulated server. */
async function issueToken(): Promise<string> {
  const token = `token-${crypto.randomUUID()}`
  await act('issue-token', { account: ACCOUNT, token })
  return token
}

describe.skipIf(chromiumPath === undefined)('access tokens, in a browser (needs CHROMIUM_PATH)', () => {
  const { visit } = useBrowser()

  it('are given while connecting, refused where they are wrong, and kept nowhere in the page', async () => {
    const person = await signUp()
    const token = await issueToken()
    const { page } = await visit({ as: person })
    await page.goto('/accounts')
    await page.getByRole('button', { name: 'Connect an account' }).click()
    await page.getByRole('textbox', { name: 'Handle or address' }).fill(typedHandle('mastodon', ACCOUNT))
    await page.getByText('Its server shows posts only to its users?').click()
    expect(await auditPage(page)).not.toContain('a textbox without a name')
    const field = page.getByLabel('Access token')
    expect(await field.getAttribute('type')).toBe('password')
    await field.fill('not a good one')
    await page.getByRole('button', { name: 'Connect', exact: true }).click()
    await page.getByRole('dialog').getByRole('alert').waitFor()
    expect(await field.inputValue()).toBe('')
    await field.fill(token)
    await page.getByRole('button', { name: 'Connect', exact: true }).click()
    await page.getByRole('heading', { name: 'Account connected' }).waitFor()
    expect(await page.content()).not.toContain(token)
    const [account] = await person.key.readAll(Account, '/api/v1/accounts')
    expect(account?.credentials).toMatchObject({ expiresAt: null })
  })

  it('are renewed where the server refuses them, and removed', async () => {
    const person = await signUp()
    await startPlanning()
    const { id } = await connect(person.key, 'mastodon', ACCOUNT)
    const [first, second] = [await issueToken(), await issueToken()]
    await person.key.send('PUT', `/api/v1/accounts/${id}/credentials`, { json: { accessToken: first } })
    await act('revoke-token', { token: first })
    const read = () => person.key.read(Account, `/api/v1/accounts/${id}`)
    await person.key.post(`/api/v1/accounts/${id}/sync`)
    await until('the account needs another token', async () =>
      (await read()).status === 'needs_auth' ? true : null,
    )

    const { page, complaints } = await visit({ as: person })
    await page.goto('/accounts')
    await page.getByRole('button', { name: /^Renew the token/ }).click()
    await page.getByLabel('Access token', { exact: true }).fill(second)
    await page.getByRole('button', { name: 'Store' }).click()
    await page.getByText('is read with the new token').waitFor()
    expect((await read()).status).toBe('active')

    await page.getByRole('button', { name: /^Access token of/ }).click()
    await page.getByRole('button', { name: 'Remove the token' }).click()
    await page.getByText('is read as anybody may').waitFor()
    expect((await read()).credentials).toBeNull()
    expect(complaints).toEqual([])
  })
})
