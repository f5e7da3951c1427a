import { escapeHtml } from '../../../src/lib/escape-html.ts'
import type { StoredMail } from './mail-store.ts'

/** How the page asks the browser to treat it: nothing from elsewhere, nothing inline. */
export const PAGE_CSP = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "frame-src 'self'",
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** For the HTML of a mail, which is anybody's: no script, no origin, nothing loaded; links open elsewhere. */
export const MAIL_CSP = [
  'sandbox allow-popups allow-popups-to-escape-sandbox',
  "default-src 'none'",
  "style-src 'unsafe-inline'",
  'img-src data:',
  "frame-ancestors 'self'",
].join('; ')

/** The page: every mail, and the one that is open. */
export function renderPage(mails: StoredMail[], open: StoredMail | undefined): string {
  const title = open === undefined ? 'Mail' : open.subject
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(title)} · Tidemark's local mail</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/page.css">
<script src="/page.js" defer></script>
</head>
<body>
<header><h1><a href="/">Mail</a></h1><p>What the local Tidemark has sent. None of it has left this machine.</p></header>
<div class="columns">
<nav aria-label="Mails">${renderList(mails, open)}</nav>
<main>${open === undefined ? renderNothingOpen(mails) : renderMail(open)}</main>
</div>
</body>
</html>
`
}

function renderList(mails: StoredMail[], open: StoredMail | undefined): string {
  if (mails.length === 0) return '<p class="empty">No mail yet</p>'
  const items = mails.map((mail) => {
    const current = mail.id === open?.id ? ' aria-current="page"' : ''
    return `<li><a href="/mails/${mail.id}"${current}>
<strong>${escapeHtml(mail.subject) || '(no subject)'}</strong>
<span>${escapeHtml(mail.to.join(', '))}</span>
${time(mail.at)}</a></li>`
  })
  return `<ol>${items.join('\n')}</ol>`
}

function renderNothingOpen(mails: StoredMail[]): string {
  return mails.length === 0
    ? '<p class="empty">Ask for a new password, or invite somebody: the mail appears here by itself.</p>'
    : '<p class="empty">Choose a mail to read it.</p>'
}

function renderMail({ id, at, from, to, subject, text, html }: StoredMail): string {
  const frame =
    html === null
      ? ''
      : `<h3>HTML</h3>
<iframe title="The mail as HTML" src="/mails/${id}/html" sandbox="allow-popups allow-popups-to-escape-sandbox"></iframe>`
  return `<h2>${escapeHtml(subject) || '(no subject)'}</h2>
<dl><dt>From</dt><dd>${escapeHtml(from)}</dd><dt>To</dt><dd>${escapeHtml(to.join(', '))}</dd><dt>Sent</dt><dd>${time(at)}</dd></dl>
${frame}
${text === null ? '' : `<h3>Text</h3>\n<pre>${linked(text)}</pre>`}`
}

function time(at: string): string {
  return `<time datetime="${at}">${at.slice(0, 19).replace('T', ' ')} UTC</time>`
}

/** The text with its addresses as links. */
function linked(text: string): string {
  return escapeHtml(text).replace(
    /https?:\/\/[^\s<>"']+/g,
    (url) => `<a href="${url}" target="_blank" rel="noreferrer">${url}</a>`,
  )
}

/** A mail's HTML whose links open beside the page and not within its frame. */
export function withLinksOutside(html: string): string {
  const base = '<base target="_blank">'
  return /<head[^>]*>/i.test(html) ? html.replace(/<head[^>]*>/i, (head) => head + base) : base + html
}

/** Shows new mails as they come; whatever is open or focused stays. */
export const PAGE_SCRIPT = `const EVERY_MS = 1500
let etag = null
let started = false

async function refresh() {
  const response = await fetch('/mails.json', { headers: etag === null ? {} : { 'if-none-match': etag }, cache: 'no-store' })
  if (response.status === 304) return
  etag = response.headers.get('etag')
  if (!started) {
    started = true
    return
  }
  const page = await (await fetch(location.pathname, { cache: 'no-store' })).text()
  const fresh = new DOMParser().parseFromString(page, 'text/html')
  const focused = document.activeElement?.getAttribute('href')
  document.querySelector('nav').replaceWith(fresh.querySelector('nav'))
  if (document.querySelector('main iframe') === null)
    document.querySelector('main').replaceWith(fresh.querySelector('main'))
  for (const link of document.querySelectorAll('nav a')) if (link.getAttribute('href') === focused) link.focus()
}

async function keepRefreshing() {
  if (document.visibilityState === 'visible') await refresh().catch(() => {})
  setTimeout(keepRefreshing, EVERY_MS)
}

keepRefreshing()
`

export const PAGE_STYLE = `:root {
  color-scheme: light dark;
  --ground: light-dark(#f5f8f8, #0d1a1e);
  --panel: light-dark(#ffffff, #13262c);
  --ink: light-dark(#12262c, #e4eef0);
  --faint: light-dark(#4c6268, #9db3b8);
  --line: light-dark(#d4dfe1, #27414a);
  --accent: light-dark(#0a6a74, #5cc6d0);
}
* { box-sizing: border-box }
body { margin: 0; background: var(--ground); color: var(--ink); font: 15px/1.5 system-ui, sans-serif }
a { color: var(--accent) }
a:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px }
header { display: flex; flex-wrap: wrap; gap: 0 16px; align-items: baseline; padding: 12px 20px; border-bottom: 1px solid var(--line) }
header p { margin: 0; color: var(--faint) }
h1 { margin: 0; font-size: 20px }
h1 a { color: inherit; text-decoration: none }
h2 { margin: 0 0 12px; font-size: 20px; overflow-wrap: anywhere }
h3 { margin: 20px 0 6px; font-size: 13px; color: var(--faint) }
.columns { display: grid; grid-template-columns: minmax(240px, 340px) minmax(0, 1fr) }
nav { border-right: 1px solid var(--line); min-height: calc(100vh - 60px) }
nav ol { margin: 0; padding: 0; list-style: none }
nav li a { display: grid; padding: 10px 20px; border-bottom: 1px solid var(--line); color: inherit; text-decoration: none; overflow-wrap: anywhere }
nav li a:hover, nav li a[aria-current] { background: var(--panel) }
nav li a[aria-current] { box-shadow: inset 3px 0 var(--accent) }
nav span, nav time, dt { color: var(--faint); font-size: 13px }
main { padding: 20px }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 2px 12px; margin: 0 }
dd { margin: 0; overflow-wrap: anywhere }
iframe { width: 100%; height: 520px; border: 1px solid var(--line); border-radius: 6px; background: Canvas }
pre { margin: 0; padding: 14px; border: 1px solid var(--line); border-radius: 6px; background: var(--panel); white-space: pre-wrap; overflow-wrap: anywhere }
.empty { padding: 10px 20px; color: var(--faint) }
@media (max-width: 700px) {
  .columns { grid-template-columns: minmax(0, 1fr) }
  nav { border-right: 0; min-height: 0; max-height: 40vh; overflow: auto }
}
`
