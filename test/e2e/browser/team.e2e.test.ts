import type { Page } from 'playwright-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { Brand } from '../../../src/services/brands/schemas.ts'
import { connect } from '../support/accounts.ts'
import { type Person, signUp } from '../support/people.ts'
import { sql } from '../support/stack.ts'
import { userIdOf } from '../support/things.ts'
import { until } from '../support/wait.ts'
import { auditPage } from './support/audit.ts'
import { chromiumPath, useBrowser } from './support/browser.ts'
import { untilShown } from './support/page.ts'

const PHONE = { width: 390, height: 844 }
const SECTIONS = ['/settings', '/settings/team', '/settings/brands', '/settings/audit-log']

async function open(page: Page, path: string): Promise<void> {
  await page.goto(path)
  await untilShown(page)
}

/** Makes somebody a member, as accepting an invitation does. */
async function join(person: Person, workspaceId: string, role: string): Promise<void> {
  await sql('INSERT INTO workspace_members (workspace_id, user_id, role) VALUES ($1, $2, $3)', [
    workspaceId,
    await userIdOf(person),
    role,
  ])
}

describe.skipIf(chromiumPath === undefined)('team, brands and audit log (needs CHROMIUM_PATH)', () => {
  const { visit } = useBrowser()
  let owner: Person
  let analyst: Person
  let brand: Brand

  beforeAll(async () => {
    ;[owner, analyst] = await Promise.all([signUp('Ada'), signUp('Grace')])
    await join(analyst, owner.workspaceId, 'analyst')
    const { id } = await connect(owner.key, 'mastodon', 'ferrocast')
    brand = await owner.session.make(Brand, '/api/v1/brands', { name: 'Harbour' })
    await owner.session.patch(`/api/v1/accounts/${id}`, { brandId: brand.id })
  })

  it.each(['light', 'dark'] as const)(
    'shows every section quietly, named, and narrow enough for a phone (%s)',
    async (colorScheme) => {
      const { page, complaints } = await visit({ as: owner, colorScheme })
      const found: Record<string, string[]> = {}
      for (const path of SECTIONS) {
        await open(page, path)
        const wrong = await auditPage(page)
        await page.setViewportSize(PHONE)
        const excess = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)
        if (excess > 0) wrong.push(`${excess} pixels too wide for a phone`)
        await page.setViewportSize({ width: 1280, height: 800 })
        found[path] = [...wrong, ...complaints.splice(0)]
      }
      expect(found).toEqual(Object.fromEntries(SECTIONS.map((path) => [path, []])))
    },
  )

  it('shows the link of an invitation once, and lists it until it is withdrawn', async () => {
    const { page, complaints } = await visit({ as: owner })
    await open(page, '/settings/team')
    await page.getByRole('button', { name: 'Invite', exact: true }).click()
    await page.getByLabel('E-mail (optional)').fill('new.person@example.com')
    await page.getByRole('button', { name: 'Make the invitation' }).click()
    expect(await page.getByRole('textbox', { name: 'The link', exact: true }).inputValue()).toMatch(
      /\/invite#tmi_[\w-]{43}$/,
    )
    await page.getByRole('button', { name: 'Done' }).click()
    const withdraw = page.getByRole('button', { name: 'Withdraw the invitation for new.person@example.com' })
    await withdraw.click()
    await page.getByRole('button', { name: 'Withdraw it' }).click()
    await withdraw.waitFor({ state: 'detached' })
    await page.getByText('Used, withdrawn and expired (1)').waitFor()
    expect(complaints).toEqual([])
  })

  it('limits a member to a brand, and says so in the log, by name', async () => {
    const { page, complaints } = await visit({ as: owner })
    await open(page, '/settings/team')
    await page.getByRole('button', { name: 'Change Grace' }).click()
    await page.getByRole('radio', { name: 'Viewer' }).check()
    await page.getByRole('radio', { name: 'Only some brands' }).check()
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByText('Choose at least one brand').waitFor()
    await page.getByRole('checkbox', { name: 'Harbour' }).check()
    await page.getByRole('button', { name: 'Save' }).click()
    const row = page.getByRole('row').filter({ hasText: analyst.email })
    await row.filter({ hasText: 'Harbour' }).filter({ hasText: 'Viewer' }).waitFor()
    await open(page, '/settings/audit-log?actions=member.changed')
    // The names of brands come after the entries.
    const words = `${owner.email} changed the role of ${analyst.email} from analyst to viewer, who now sees Harbour.`
    await page.getByRole('listitem').first().filter({ hasText: words }).waitFor()
    expect(complaints).toEqual([])
  })

  it('offers a member what they may do, and nothing else', async () => {
    const { page, context, complaints } = await visit({ as: analyst })
    await context.addInitScript((id) => localStorage.setItem('tidemark.workspace', id), owner.workspaceId)
    await open(page, '/settings/team')
    await page.getByRole('button', { name: 'Leave…' }).waitFor()
    expect(await page.getByRole('button', { name: /Invite|Remove|Hand over/ }).count()).toBe(0)
    expect(await page.getByRole('link', { name: 'Audit log' }).count()).toBe(0)
    await open(page, '/accounts')
    await page.getByText('You see the accounts of these brands').waitFor()
    await open(page, '/operator')
    await page.getByText('This address leads nowhere.').waitFor()
    expect(complaints).toEqual([])
  })

  it('moves between workspaces by the keyboard alone', async () => {
    const { page, complaints } = await visit({ as: owner })
    await open(page, '/')
    await page.getByRole('button', { name: /^Workspace: / }).focus()
    await page.keyboard.press('Enter')
    const make = page.getByRole('button', { name: 'Make a workspace' })
    for (let i = 0; i < 5 && !(await make.evaluate((button) => button === document.activeElement)); i += 1)
      await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await page.keyboard.type('Second shore')
    await page.keyboard.press('Enter')
    await page.getByRole('button', { name: 'Workspace: Second shore' }).waitFor()
    await page.getByText('Nothing is measured yet').waitFor()
    const { items } = await owner.session.read(
      z.object({ items: z.array(z.object({ name: z.string(), role: z.string().nullable() })) }),
      '/api/v1/workspaces',
    )
    expect(items).toContainEqual({ name: 'Second shore', role: 'owner' })
    expect(complaints).toEqual([])
  })

  it('narrows the posts to a brand, and takes an account out of it', async () => {
    const { page, complaints } = await visit({ as: owner })
    await open(page, `/posts?brands=${brand.id}`)
    await page.getByRole('button', { name: 'Brands: Harbour' }).waitFor()
    await open(page, '/accounts')
    const choice = page.getByLabel(/^Brand of /)
    await until('its brand is chosen', async () => ((await choice.inputValue()) === brand.id ? true : null))
    await choice.selectOption('No brand')
    await page.getByLabel('Brand', { exact: true }).selectOption('Without a brand')
    await page.getByLabel(/^Brand of /).waitFor()
    expect(await page.getByLabel(/^Brand of /).inputValue()).toBe('')
    expect(complaints).toEqual([])
  })

  it('keeps the last owner, and hands the workspace over once its name was typed', async () => {
    const [giver, heir] = await Promise.all([signUp('Giver'), signUp('Heir')])
    await join(heir, giver.workspaceId, 'admin')
    const { page, complaints } = await visit({ as: giver })
    await open(page, '/settings/team')
    const leave = page.getByRole('button', { name: 'Leave…' })
    expect(await leave.getAttribute('aria-disabled')).toBe('true')
    await page.getByRole('button', { name: 'Hand over…' }).click()
    const confirm = page.getByRole('button', { name: 'Hand over', exact: true })
    expect(await confirm.getAttribute('aria-disabled')).toBe('true')
    const label = page.getByLabel(/^Type “/)
    const name = /“(.+)”/.exec((await page.getByText(/^Type “/).innerText()) ?? '')?.[1] ?? ''
    await label.fill(name)
    await confirm.click()
    await page.getByRole('row').filter({ hasText: heir.email }).getByText('Owner', { exact: true }).waitFor()
    expect(await page.getByRole('button', { name: 'Hand over…' }).count()).toBe(0)
    expect(complaints).toEqual([])
  })
})
