import { existsSync } from 'node:fs'
import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type Page,
} from 'playwright-core'
import { afterAll, afterEach, beforeAll } from 'vitest'
import { freshIp, type Person } from '../../support/people.ts'
import { stack } from '../../support/stack.ts'

const USUAL_PATH = '/usr/bin/chromium'
const ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]
const TIMEOUT_MS = 20_000

/** Where the browser is; `undefined`: there is none, and its tests are skipped. */
export const chromiumPath = process.env.CHROMIUM_PATH || (existsSync(USUAL_PATH) ? USUAL_PATH : undefined)

export interface Visit {
  page: Page
  context: BrowserContext
  /** What the browser complained about: errors in its console, requests that failed, answers from 400 on. */
  complaints: string[]
}

interface VisitOptions extends BrowserContextOptions {
  /** Who is signed in. */
  as?: Person
}

/** One browser for the tests of a file; every visit is one of a browser never used before, and ends with its test. */
export function useBrowser(): { visit(options?: VisitOptions): Promise<Visit> } {
  let browser: Browser
  const contexts: BrowserContext[] = []
  beforeAll(async () => {
    browser = await chromium.launch({ ...(chromiumPath && { executablePath: chromiumPath }), args: ARGS })
  })
  afterEach(async () => {
    await Promise.all(contexts.splice(0).map((context) => context.close()))
  })
  afterAll(() => browser?.close())
  return {
    async visit({ as, ...options } = {}) {
      const context = await browser.newContext({
        baseURL: stack.url,
        locale: 'en-US',
        // Limits count by address, which all of this machine's visitors would share.
        extraHTTPHeaders: { 'cf-connecting-ip': freshIp() },
        ...options,
      })
      contexts.push(context)
      context.setDefaultTimeout(TIMEOUT_MS)
      if (as !== undefined) await context.addCookies(cookiesOf(as))
      const page = await context.newPage()
      return { page, context, complaints: complaintsOf(page) }
    },
  }
}

function cookiesOf({ cookie }: Person) {
  const { hostname } = new URL(stack.url)
  return cookie.split('; ').map((pair) => {
    const at = pair.indexOf('=')
    return {
      name: pair.slice(0, at),
      value: pair.slice(at + 1),
      domain: hostname,
      path: '/',
      secure: true,
      httpOnly: true,
    }
  })
}

function complaintsOf(page: Page): string[] {
  const complaints: string[] = []
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(`console: ${message.text()}`)
  })
  page.on('pageerror', (error) => complaints.push(`thrown: ${error.message}`))
  page.on('requestfailed', (request) => {
    const reason = request.failure()?.errorText
    // The page itself gave up: it went on to something else.
    if (reason !== 'net::ERR_ABORTED') complaints.push(`failed: ${request.url()} ${reason}`)
  })
  page.on('response', (response) => {
    if (response.status() >= 400) complaints.push(`answered: ${response.status()} ${response.url()}`)
  })
  return complaints
}
