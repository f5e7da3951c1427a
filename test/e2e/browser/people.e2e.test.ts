import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { freshEmail, type Person, signUp } from '../support/people.ts'
import { auditPage } from './support/audit.ts'
import { chromiumPath, useBrowser } from './support/browser.ts'
import { mailedLink } from './support/mail.ts'
import { untilLiveWordsAre, untilShown } from './support/page.ts'
import { signIn } from './support/sign-in.ts'

const PASSWORD = 'otter canal seventeen'
const OTHER_PASSWORD = 'herring gull on a post'

const Made = z.object({ id: z.string(), url: z.string() })
const Me = z.object({
  user: z.object({ email: z.string() }),
  workspace: z.object({ id: z.string(), role: z.string() }),
})

/** Where whoever uses this page is, and as what. */
async function whereabouts(page: Page): Promise<z.infer<typeof Me>> {
  const workspace = await page.evaluate(() => localStorage.getItem('tidemark.workspace'))
  const headers: Record<string, string> = workspace === null ? {} : { 'x-workspace-id': workspace }
  return Me.parse(await (await page.request.get('/api/v1/me', { headers })).json())
}

const invite = (by: Person, invitation: { role: string; email?: string }) =>
  by.session.make(Made, `/api/v1/workspaces/${by.workspaceId}/invitations`, invitation)

const heading = (page: Page, name: string | RegExp) => page.getByRole('heading', { level: 1, name })

/** Fills the form that makes an account. */
async function makeAccount(page: Page, email: string | null): Promise<void> {
  await page.getByLabel('Name').fill('Mara')
  if (email !== null) await page.getByLabel('E-mail').fill(email)
  await page.getByRole('textbox', { name: 'Password' }).fill(PASSWORD)
  await page.getByRole('button', { name: 'Create account' }).click()
}

describe.skipIf(chromiumPath === undefined)('people, in a browser (needs CHROMIUM_PATH)', () => {
  const { visit } = useBrowser()

  it('come in by an invitation, into the workspace that it is for', async () => {
    const owner = await signUp('Olive')
    const { url } = await invite(owner, { role: 'analyst' })
    const { page, complaints } = await visit()
    await page.goto(url)
    await heading(page, /^Join /).waitFor()
    await page
      .getByRole('main')
      .filter({ hasText: /Analyst[\s\S]*Olive/ })
      .waitFor()
    const email = freshEmail()
    await makeAccount(page, email)
    await heading(page, 'Overview').waitFor()
    expect(await whereabouts(page)).toEqual({
      user: { email },
      workspace: { id: owner.workspaceId, role: 'analyst' },
    })
    expect(new URL(page.url()).hash).toBe('')
    expect(complaints).toEqual([])

    await page.goto(url)
    await page.getByText('was accepted already').waitFor()
  })

  it('are told whom an invitation is for, and come in with that address', async () => {
    const owner = await signUp('Olive')
    const email = freshEmail()
    const { url } = await invite(owner, { role: 'viewer', email })
    expect(await mailedLink(email, /invites you/)).toBe(url)
    const stranger = await signUp('Stranger')
    const { page, complaints } = await visit({ as: stranger })
    await page.goto(url)
    await page.getByText('the invitation is for another address').waitFor()
    await page.getByRole('button', { name: /^Sign out/ }).click()
    expect(await page.getByLabel('E-mail').inputValue()).toBe(email)
    await makeAccount(page, null)
    await heading(page, 'Overview').waitFor()
    expect(await whereabouts(page)).toEqual({
      user: { email },
      workspace: { id: owner.workspaceId, role: 'viewer' },
    })
    expect(complaints).toEqual([])
  })

  it('accept while they are signed in, unless it was withdrawn', async () => {
    const owner = await signUp('Olive')
    const guest = await signUp('Guest')
    const withdrawn = await invite(owner, { role: 'viewer' })
    await owner.session.delete(`/api/v1/workspaces/${owner.workspaceId}/invitations/${withdrawn.id}`)
    const { url } = await invite(owner, { role: 'admin' })
    const { page, complaints } = await visit({ as: guest })
    await page.goto(withdrawn.url)
    await page.getByText('This invitation was withdrawn. Ask Olive').waitFor()
    // Only what stands behind `#` changes: the same page, with another link.
    await page.goto(url)
    await page.getByRole('button', { name: 'Accept the invitation' }).click()
    await heading(page, 'Overview').waitFor()
    expect((await whereabouts(page)).workspace).toEqual({ id: owner.workspaceId, role: 'admin' })
    expect(complaints).toEqual([])
  })

  it('choose another password by a mail, which works once', async () => {
    const person = await signUp()
    const { page, complaints } = await visit()
    await page.goto('/sign-in')
    await page.getByRole('link', { name: 'Forgot your password?' }).click()
    await page.getByLabel('E-mail').fill(person.email)
    await page.getByRole('button', { name: 'Send a link' }).click()
    await heading(page, 'Look into your mail').waitFor()
    const link = await mailedLink(person.email, /Reset/)
    await page.goto(link)
    expect(complaints).toEqual([])
    const password = page.getByRole('textbox', { name: 'New password' })
    await password.fill('password123')
    await page.getByRole('button', { name: 'Set the new password' }).click()
    await page
      .getByRole('alert')
      .filter({ hasText: /guessed first/ })
      .waitFor()
    await password.fill(OTHER_PASSWORD)
    await page.getByRole('button', { name: 'Set the new password' }).click()
    await heading(page, 'Your password was changed').waitFor()
    await page.getByRole('link', { name: 'Sign in' }).click()
    await signIn(page, person.email, OTHER_PASSWORD)
    await heading(page, 'Overview').waitFor()

    await page.goto(link)
    await page.getByRole('textbox', { name: 'New password' }).fill(PASSWORD)
    await page.getByRole('button', { name: 'Set the new password' }).click()
    await heading(page, 'This link is no longer good').waitFor()
  })

  it('confirm their address by a mail, and are asked until then', async () => {
    const person = await signUp()
    const { page, complaints } = await visit({ as: person })
    await page.goto('/')
    const banner = page.getByRole('complementary', { name: 'E-mail address' })
    await banner.waitFor()
    await page.goto('/profile')
    await page.getByText('Not confirmed').waitFor()
    await page.goto(await mailedLink(person.email, /Confirm/))
    await heading(page, 'Your e-mail address is confirmed').waitFor()
    await page.getByRole('link', { name: 'Go on to Tidemark' }).click()
    await heading(page, 'Overview').waitFor()
    await banner.waitFor({ state: 'hidden' })
    await page.goto('/profile')
    await page.getByText('Confirmed', { exact: true }).waitFor()
    expect(complaints).toEqual([])
  })

  it('end the session of another browser, which is then signed out by itself', async () => {
    const person = await signUp()
    const other = await visit()
    await other.page.goto('/sign-in')
    await signIn(other.page, person.email, person.password)
    await untilLiveWordsAre(other.page, 'Live')
    const { page, complaints } = await visit({ as: person })
    await page.goto('/profile')
    await untilLiveWordsAre(page, 'Live')
    await page.getByText('This one').waitFor()
    await page.getByRole('button', { name: /^End the session of Chrome/ }).click()
    await heading(other.page, 'Welcome back').waitFor()
    // Its own connection ended as well, and comes back.
    await untilLiveWordsAre(page, 'Live')
    expect(await page.getByRole('button', { name: /^End the session/ }).count()).toBe(0)
    expect(complaints).toEqual([])
  })

  it('change their password, which ends every other session', async () => {
    const person = await signUp()
    const other = await visit()
    await other.page.goto('/sign-in')
    await signIn(other.page, person.email, person.password)
    await heading(other.page, 'Overview').waitFor()
    const { page } = await visit({ as: person })
    await page.goto('/profile')
    const change = async (current: string, next: string) => {
      await page.getByRole('textbox', { name: 'Current password' }).fill(current)
      await page.getByRole('textbox', { name: 'New password' }).fill(next)
      await page.getByRole('button', { name: 'Change the password' }).click()
    }
    await change('not the one I have', OTHER_PASSWORD)
    await page
      .getByRole('alert')
      .filter({ hasText: /^This is not your password\.$/ })
      .waitFor()
    await change(person.password, OTHER_PASSWORD)
    await page.getByText('every other session ended').waitFor()
    expect(await page.getByRole('textbox', { name: 'New password' }).inputValue()).toBe('')
    await other.page.goto('/')
    await heading(other.page, 'Welcome back').waitFor()
    await signIn(other.page, person.email, OTHER_PASSWORD)
    await heading(other.page, 'Overview').waitFor()
  })

  it('sign in and out everywhere by keyboard alone', async () => {
    const person = await signUp()
    const { page } = await visit()
    await page.goto('/sign-in?next=/profile')
    await page.getByLabel('E-mail').waitFor()
    const focused = () =>
      page.evaluate(() => document.activeElement?.getAttribute('name') ?? document.activeElement?.textContent)
    const tabTo = async (wanted: string) => {
      for (let presses = 0; presses < 40 && (await focused()) !== wanted; presses += 1)
        await page.keyboard.press('Tab')
      expect(await focused()).toBe(wanted)
    }
    await tabTo('email')
    await page.keyboard.type(person.email)
    await tabTo('password')
    await page.keyboard.type(person.password)
    await page.keyboard.press('Enter')
    await heading(page, 'Your profile').waitFor()
    await tabTo('Sign out everywhere…')
    await page.keyboard.press('Enter')
    await page.getByRole('dialog', { name: 'Sign out everywhere?' }).waitFor()
    await tabTo('Sign out everywhere')
    await page.keyboard.press('Enter')
    await heading(page, 'Welcome back').waitFor()
    expect((await person.session.get('/auth/get-session')).text).toBe('null')
  })

  it.each(['light', 'dark'] as const)(
    'find pages that can be used without seeing them (%s)',
    async (scheme) => {
      const owner = await signUp('Olive')
      const { url } = await invite(owner, { role: 'viewer', email: freshEmail() })
      const open = [
        '/forgot-password',
        '/reset-password',
        '/reset-password#some',
        '/verify-email',
        '/invite',
        url,
      ]
      const found: Record<string, string[]> = {}
      for (const [person, paths] of [
        [undefined, open],
        [owner, ['/profile', url]],
      ] as const) {
        const { page, complaints } = await visit({ colorScheme: scheme, ...(person && { as: person }) })
        for (const path of paths) {
          await page.goto('/nowhere')
          await page.setViewportSize({ width: 1280, height: 800 })
          await page.goto(path)
          await untilShown(page)
          const wrong = await auditPage(page)
          await page.setViewportSize({ width: 390, height: 844 })
          const excess = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)
          if (excess > 0) wrong.push(`${excess} pixels too wide for a phone`)
          wrong.push(...complaints.splice(0))
          if (wrong.length > 0) found[path] = wrong
        }
      }
      expect(found).toEqual({})
    },
  )
})
