import { type Context, Hono } from 'hono'
import { html } from 'hono/html'
import { comeBack, type Returned } from '../../services/authorizations/come-back.ts'
import type { HttpEnv } from '../context.ts'
import { chargeAddress } from '../limits.ts'
import { contextIn, findSignedIn } from '../signed-in.ts'

/** The address of such a page holds a code: it is kept nowhere, and nothing but a style sheet is loaded. */
const PAGE_HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy':
    "default-src 'none'; style-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'",
}

interface Page {
  status: 400 | 401 | 403
  title: string
  text: string
  link: { href: string; label: string; elsewhere?: boolean }
}

const ACCOUNTS = { href: '/accounts', label: 'Go to the accounts' }

const SIGN_IN_FIRST: Page = {
  status: 401,
  title: 'Sign in first',
  text: 'Nobody is signed in here. Sign in in another tab, then load this page again within ten minutes.',
  link: { href: '/sign-in', label: 'Sign in', elsewhere: true },
}

const PAGES: Record<Exclude<Returned['kind'], 'settled'>, Page> = {
  unknown: {
    status: 400,
    title: 'This way back is closed',
    text: 'It was used before, took longer than ten minutes, or leads here by mistake. Begin again.',
    link: ACCOUNTS,
  },
  somebody_else: {
    status: 403,
    title: 'Somebody else began this',
    text: 'You are signed in as somebody else than whoever began to connect accounts. Sign in as they, or begin again yourself.',
    link: ACCOUNTS,
  },
  not_allowed: {
    status: 403,
    title: 'You may not connect accounts here',
    text: 'Your role in the workspace that this was begun in does not allow it. Ask an admin.',
    link: ACCOUNTS,
  },
}

/** Where platforms send people back to: outside of the API, for browsers with a session. */
export const oauthCallbackRoutes = new Hono<HttpEnv>().get(
  '/oauth/:platform/callback',
  chargeAddress,
  async (c) => {
    const signedIn = await findSignedIn(c)
    if (signedIn === null) return answerPage(c, SIGN_IN_FIRST)
    for (const cookie of signedIn.setCookies) c.header('set-cookie', cookie, { append: true })
    const address = {
      platform: c.req.param('platform'),
      state: c.req.query('state'),
      code: c.req.query('code'),
      error: c.req.query('error'),
    }
    const returned = await comeBack(c.var.deps.services, address, {
      userId: signedIn.session.user.id,
      contextIn(workspaceId) {
        const found = signedIn.person.workspaces.find((one) => one.workspaceId === workspaceId)
        return found === undefined ? null : contextIn(c, signedIn, found)
      },
    })
    if (returned.kind !== 'settled') return answerPage(c, PAGES[returned.kind])
    c.header('cache-control', 'no-store')
    return c.redirect(`/connect?authorization=${returned.authorizationId}`, 303)
  },
)

function answerPage(c: Context<HttpEnv>, { status, title, text, link }: Page) {
  const target = link.elsewhere === true ? html` target="_blank" rel="noopener"` : ''
  return c.html(
    html`<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${title} · Tidemark</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="stylesheet" href="/docs/style.css"></head>
<body><main><h1>${title}</h1><p>${text}</p><p><a href="${link.href}"${target}>${link.label}</a></p></main></body></html>`,
    status,
    PAGE_HEADERS,
  )
}
