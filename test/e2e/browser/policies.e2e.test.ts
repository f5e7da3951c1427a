import { describe, expect, it } from 'vitest'
import { nobody } from '../support/client.ts'
import { chromiumPath, useBrowser } from './support/browser.ts'

describe("what the dashboard's files say", () => {
  it('holds on every kind of path', async () => {
    const page = await nobody.get('/', { 'sec-fetch-mode': 'navigate' })
    const script = /\/assets\/[\w.-]+\.js/.exec(page.text)?.[0] ?? ''
    for (const path of ['/', script, '/accounts/some/thing?x=1', '/early.js']) {
      const { status, headers } = await nobody.get(path, { 'sec-fetch-mode': 'navigate' })
      expect(status).toBe(200)
      expect(Object.fromEntries(headers)).toMatchObject({
        'strict-transport-security': 'max-age=31536000; includeSubDomains',
        'cross-origin-opener-policy': 'same-origin',
        'cross-origin-resource-policy': 'same-origin',
        'x-frame-options': 'DENY',
        'x-content-type-options': 'nosniff',
      })
      for (const feature of [
        'camera',
        'microphone',
        'geolocation',
        'payment',
        'usb',
        'serial',
        'browsing-topics',
      ])
        expect(headers.get('permissions-policy')).toContain(`${feature}=()`)
      expect(headers.get('content-security-policy')).not.toMatch(/unsafe/)
    }
  })
})

describe.skipIf(chromiumPath === undefined)('a browser (needs CHROMIUM_PATH)', () => {
  const { visit } = useBrowser()

  it.each(['/docs', '/problems', '/problems/rate_limited', '/'])(
    'shows %s with its style and finds nothing against the policy',
    async (path) => {
      const { page, complaints } = await visit()
      const warnings: string[] = []
      page.on('console', (message) => warnings.push(message.text()))
      await page.addInitScript(() =>
        document.addEventListener('securitypolicyviolation', (event) =>
          console.error(`violation of ${event.violatedDirective} by ${event.blockedURI}`),
        ),
      )
      await page.goto(path)
      await page.locator('h1').waitFor()
      // A page's own icon and whatever else it loads late.
      await page.waitForLoadState('networkidle')
      const hasStyle = await page.evaluate(
        () => document.styleSheets.length > 0 && document.styleSheets[0]?.cssRules.length !== 0,
      )
      expect(hasStyle).toBe(true)
      expect(complaints.filter((text) => !text.includes('401'))).toEqual([])
      expect(warnings.filter((text) => /polic|violat|refused|unrecognized/i.test(text))).toEqual([])
    },
  )

  it('runs nothing that is put into a page of the documentation', async () => {
    const { page } = await visit()
    await page.goto('/docs')
    const ran = await page.evaluate(async () => {
      const script = document.createElement('script')
      script.textContent = 'document.documentElement.dataset.ran = "yes"'
      document.body.append(script)
      const image = document.createElement('img')
      image.setAttribute('onerror', 'document.documentElement.dataset.ran = "yes"')
      image.src = '/nothing.png'
      document.body.append(image)
      await new Promise((resolve) => setTimeout(resolve, 300))
      return document.documentElement.dataset.ran ?? 'no'
    })
    expect(ran).toBe('no')
  })
})
