import { beforeAll, describe, expect, it } from 'vitest'
import { connect, postsOf, untilComplete } from '../support/accounts.ts'
import { importFile, ndjson, type Person, signUp } from '../support/people.ts'
import { startPlanning } from '../support/stack.ts'
import { auditPage } from './support/audit.ts'
import { chromiumPath, useBrowser, type Visit } from './support/browser.ts'
import { untilShown } from './support/page.ts'

const DESK = { width: 1280, height: 800 }
const PHONE = { width: 390, height: 844 }
const SIGNED_OUT = ['/sign-in', '/sign-up']

describe.skipIf(chromiumPath === undefined)('every page (needs CHROMIUM_PATH)', () => {
  const { visit } = useBrowser()
  let person: Person
  let paths: string[]

  beforeAll(async () => {
    await startPlanning()
    person = await signUp()
    const { id } = await connect(person.key, 'mastodon', 'ferrocast')
    const report = await importFile(person.key, {
      platform: 'youtube',
      handle: 'saltmarsh',
      body: `${ndjson([{ post_id: 'v1', posted_at: new Date().toISOString(), views: 900, likes: 12 }])}{"post_id":1}\n`,
    })
    await untilComplete(person.key, id)
    const [post] = await postsOf(person.key, id)
    paths = ['/', '/?period=90d&basis=gained', '/posts', `/posts/${post?.id}`, '/accounts']
    paths.push(`/accounts/${id}`, '/connect', '/imports', `/imports/${report.id}`)
    paths.push('/settings', '/settings/usage', '/nowhere')
  })

  it.each(['light', 'dark'] as const)(
    'is quiet, can be used without seeing it, and fits a phone (%s)',
    async (colorScheme) => {
      const found: Record<string, string[]> = {}
      const look = async ({ page, complaints }: Visit, path: string) => {
        await page.setViewportSize(DESK)
        await page.goto(path)
        await untilShown(page)
        const wrong = await auditPage(page)
        await page.setViewportSize(PHONE)
        const excess = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)
        if (excess > 0) wrong.push(`${excess} pixels too wide for a phone`)
        found[path] = [...wrong, ...complaints.splice(0)]
      }
      const signedOut = await visit({ colorScheme })
      for (const path of SIGNED_OUT) await look(signedOut, path)
      const signedIn = await visit({ colorScheme, as: person })
      for (const path of paths) await look(signedIn, path)
      expect(found).toEqual(Object.fromEntries([...SIGNED_OUT, ...paths].map((path) => [path, []])))
    },
  )
})
