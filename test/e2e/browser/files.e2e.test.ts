import { describe, expect, it } from 'vitest'
import { nobody } from '../support/client.ts'
import { chromiumPath, useBrowser } from './support/browser.ts'

const SCRIPT = /\/assets\/[\w.-]+\.js/

/** What every file of the dashboard says about what may be done with it. */
const PROTECTION = {
  'content-security-policy': expect.stringMatching(
    /^default-src 'none'; script-src 'self'; style-src 'self';.* frame-ancestors 'none'$/,
  ),
  'x-frame-options': 'DENY',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'strict-origin-when-cross-origin',
}

describe("the dashboard's files", () => {
  it.each(['/', '/posts?sort=-likes', '/early.js'])('protect whoever opens them (%s)', async (path) => {
    const { status, headers } = await nobody.get(path, { 'sec-fetch-mode': 'navigate' })
    expect(status).toBe(200)
    expect(Object.fromEntries(headers)).toMatchObject(PROTECTION)
    expect(headers.get('cache-control')).toMatch(/max-age=0, must-revalidate/)
  })

  it('are kept for long where their names change with their content', async () => {
    const [path = ''] = SCRIPT.exec((await nobody.get('/')).text) ?? []
    const { status, headers } = await nobody.get(path)
    expect(status).toBe(200)
    expect(headers.get('content-type')).toMatch(/javascript/)
    expect(headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
    expect(Object.fromEntries(headers)).toMatchObject(PROTECTION)
  })
})

describe.skipIf(chromiumPath === undefined)(
  'a browser given the page for a script (needs CHROMIUM_PATH)',
  () => {
    const { visit } = useBrowser()

    it('asks again, and shows the page', async () => {
      const { page } = await visit()
      let times = 0
      await page.route(SCRIPT, (route) => {
        times += 1
        if (times > 1) return route.continue()
        return route.fulfill({ contentType: 'text/html', body: '<!doctype html>' })
      })
      await page.goto('/')
      await page.getByRole('heading', { name: 'Welcome back' }).waitFor()
      expect(times).toBeGreaterThanOrEqual(3)
    })
  },
)
