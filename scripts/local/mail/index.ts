import { createHash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { HttpError, listen, readBody, sendJson } from '../lib/http-server.ts'
import { type MailStore, openMailStore } from './mail-store.ts'
import { MAIL_CSP, PAGE_CSP, PAGE_SCRIPT, PAGE_STYLE, renderPage, withLinksOutside } from './page.ts'
import { authorise, MailApiError, readIdempotencyKey, readSendRequest } from './send-request.ts'

export interface MailboxOptions {
  /** 0 or none: any free port. */
  port?: number
  /** Whoever sends has to have it. */
  apiKey: string
  /** Where the mails are kept. */
  dataFile: string
  /** Milliseconds since 1970; the system's clock by default. */
  now?: () => number
  log?: (line: string) => void
}

export interface Mailbox {
  url: string
  port: number
  /** Resolves when all connections are gone. May be called twice. */
  stop(): Promise<void>
}

const MAX_BODY_BYTES = 1_048_576

/**
 * Stands in for the service that delivers mail, and keeps the mails instead:
 * `POST /emails` takes one as Resend does; `GET /` shows them; `GET /mails.json?to=` lists them, newest
 * first; `DELETE /mails.json` forgets them.
 * @throws the listen error when the port cannot be had
 */
export async function startMailbox(options: MailboxOptions): Promise<Mailbox> {
  const { apiKey, dataFile, now = Date.now, log = () => {} } = options
  const store = await openMailStore({ file: dataFile, now, log })
  const server = await listen((req, res) => handle(store, apiKey, req, res), { port: options.port ?? 0 })
  return { url: server.url, port: server.port, stop: () => server.close() }
}

async function handle(
  store: MailStore,
  apiKey: string,
  req: IncomingMessage,
  res: ServerResponse,
): Promise<void> {
  try {
    refuseStrangers(req)
    const url = new URL(req.url ?? '/', 'http://127.0.0.1')
    if (req.method === 'POST' && url.pathname === '/emails') {
      authorise(req.headers, apiKey)
      const idempotencyKey = readIdempotencyKey(req.headers)
      const request = readSendRequest((await readBody(req, MAX_BODY_BYTES)).toString())
      sendJson(res, 200, { id: await store.add(request, idempotencyKey) })
    } else if (req.method === 'DELETE' && url.pathname === '/mails.json') {
      await store.clear()
      res.writeHead(204).end()
    } else if (req.method === 'GET') {
      show(store, url, req, res)
    } else {
      throw new MailApiError(405, 'method_not_allowed', `${req.method} ${url.pathname} is not possible`)
    }
  } catch (error) {
    if (!(error instanceof MailApiError)) throw error
    const { status, code, message } = error
    // An unread body would be taken for the next request of the connection.
    const headers: Record<string, string> = req.complete ? {} : { connection: 'close' }
    sendJson(res, status, { statusCode: status, name: code, message }, headers)
  }
}

/** A page elsewhere could have its own name point here, and read the links that open accounts. */
function refuseStrangers({ headers }: IncomingMessage): void {
  const { hostname } = URL.parse(`http://${headers.host}`) ?? { hostname: '' }
  if (hostname !== '127.0.0.1' && hostname !== 'localhost')
    throw new HttpError(421, 'This is reached at 127.0.0.1 alone')
}

function show(store: MailStore, url: URL, req: IncomingMessage, res: ServerResponse): void {
  const { pathname } = url
  const [, id, part] = /^\/mails\/([0-9a-f-]+)(\/html)?$/.exec(pathname) ?? []
  const mail = id === undefined ? undefined : store.find(id)
  if (pathname === '/mails.json') list(store, url, req, res)
  else if (pathname === '/page.js') send(res, 'text/javascript', PAGE_SCRIPT)
  else if (pathname === '/page.css') send(res, 'text/css', PAGE_STYLE)
  else if (mail?.html && part) send(res, 'text/html', withLinksOutside(mail.html), MAIL_CSP)
  else if (pathname === '/' || (mail && !part)) send(res, 'text/html', renderPage(store.list(), mail))
  else throw new MailApiError(404, 'not_found', `There is no ${pathname}`)
}

function list(store: MailStore, url: URL, req: IncomingMessage, res: ServerResponse): void {
  const to = url.searchParams.get('to')
  const mails = store.list().filter((mail) => to === null || mail.to.includes(to))
  const ids = mails.map(({ id }) => id).join()
  const etag = `"${createHash('sha256').update(ids).digest('base64url').slice(0, 22)}"`
  if (req.headers['if-none-match'] === etag) res.writeHead(304, { etag }).end()
  else sendJson(res, 200, { mails }, { etag, 'cache-control': 'no-store' })
}

function send(res: ServerResponse, type: string, text: string, csp = PAGE_CSP): void {
  const body = Buffer.from(text)
  res.writeHead(200, {
    'content-type': `${type}; charset=utf-8`,
    'content-length': body.length,
    'content-security-policy': csp,
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
  })
  res.end(body)
}
