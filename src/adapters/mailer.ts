import * as z from 'zod'
import { AppError } from '../errors.ts'
import { once } from '../lib/once.ts'
import { sleep as pause } from '../lib/sleep.ts'
import type { Mail, Mailer } from '../ports.ts'
import { readRetryAfterMs } from './platforms/http.ts'

export interface MailerOptions {
  /** Of a service that speaks Resend's API, without a slash at the end. */
  apiUrl: string
  /** Without one, no mail can be sent. */
  apiKey: string | undefined
  /** `mail@example.com` or `Name <mail@example.com>`. */
  from: string | undefined
  fetch?: (url: string, init: RequestInit) => Promise<Response>
  /** Of one attempt. */
  timeoutMs?: number
  /** Between attempts. */
  sleep?: (ms: number) => Promise<void>
}

const TIMEOUT_MS = 10_000
const MAX_ATTEMPTS = 3
/** The longest pause after the first attempt; doubled with each. */
const BACKOFF_MS = 500
/** Somebody is waiting for the mail's request to be answered: longer pauses are for them to make. */
const MAX_PAUSE_MS = 10_000

/** What came of one attempt. */
type Outcome =
  | { kind: 'sent' }
  | { kind: 'passing'; reason: string; retryAfterMs: number | null }
  | { kind: 'permanent'; reason: string }

/**
 * Sends mail through Resend's HTTP API; a mail is retried under one idempotency key, so that nobody gets it
 * twice. @returns `null` where no service is configured
 */
export function createMailer(options: MailerOptions): Mailer | null {
  const { apiUrl, apiKey, from } = options
  if (apiKey === undefined || from === undefined) return null
  const {
    fetch = (url, init) => globalThis.fetch(url, init),
    sleep = pause,
    timeoutMs = TIMEOUT_MS,
  } = options

  const attempt = async (mail: Mail, idempotencyKey: string): Promise<Outcome> => {
    try {
      const response = await fetch(`${apiUrl}/emails`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${apiKey}`,
          'content-type': 'application/json',
          'idempotency-key': idempotencyKey,
        },
        body: JSON.stringify({
          from,
          to: [mail.to],
          subject: mail.subject,
          text: mail.text,
          html: mail.html,
        }),
        // The key is for this host alone.
        redirect: 'manual',
        signal: AbortSignal.timeout(timeoutMs),
      })
      return await judge(response)
    } catch (error) {
      // Its message may quote a header, and with it the key: its name says enough.
      const name = error instanceof Error ? error.name : 'unknown'
      return { kind: 'passing', reason: `the service could not be reached (${name})`, retryAfterMs: null }
    }
  }

  return {
    async send(mail) {
      const idempotencyKey = crypto.randomUUID()
      for (let tried = 1; ; tried += 1) {
        const outcome = await attempt(mail, idempotencyKey)
        if (outcome.kind === 'sent') return
        if (outcome.kind === 'permanent') throw failure(outcome.reason, { retryable: false })
        const { reason, retryAfterMs } = outcome
        if (tried === MAX_ATTEMPTS || (retryAfterMs ?? 0) > MAX_PAUSE_MS)
          throw failure(`${reason}, ${tried} times`, retryAfterMs === null ? {} : { retryAfterMs })
        const jitterMs = Math.random() * BACKOFF_MS * 2 ** (tried - 1)
        await sleep((retryAfterMs ?? 0) + jitterMs)
      }
    },
  }
}

async function judge(response: Response): Promise<Outcome> {
  const { status } = response
  if (response.ok) {
    await response.body?.cancel()
    return { kind: 'sent' }
  }
  const name = await readErrorName(response)
  const reason = `the service answered ${status}${name === null ? '' : ` ${name}`}`
  const isUnderWay = status === 409 && name === 'concurrent_idempotent_requests'
  return status >= 500 || status === 429 || isUnderWay
    ? { kind: 'passing', reason, retryAfterMs: readRetryAfterMs(response.headers) }
    : { kind: 'permanent', reason }
}

const errorBody = once(() => z.object({ name: z.string().regex(/^[a-z_]{1,40}$/) }))

/** The service's name for an error. What else it says may repeat what it was sent. */
async function readErrorName(response: Response): Promise<string | null> {
  try {
    return errorBody().parse(await response.json()).name
  } catch {
    return null
  }
}

function failure(reason: string, options: { retryable?: boolean; retryAfterMs?: number }): AppError {
  return new AppError('unavailable', 'The e-mail cannot be sent at the moment.', {
    ...options,
    cause: new Error(`Mail was not sent: ${reason}`),
  })
}
