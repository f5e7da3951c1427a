import { timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { z } from 'zod'

/** An error in the words of the service that this stands in for. */
export class MailApiError extends Error {
  readonly status: number
  readonly code: string

  constructor(status: number, code: string, message: string) {
    super(message)
    this.status = status
    this.code = code
  }
}

const address = z.string().regex(/^[^<>]*<?[^\s<>@]+@[^\s<>@]+>?$/, 'must be an e-mail address')
/** Headers are made of them. */
const line = z.string().regex(/^[^\r\n]*$/, 'must be one line')

const SendRequest = z
  .object({
    from: address,
    to: z.union([address.transform((one) => [one]), z.array(address).min(1).max(50)]),
    subject: line,
    text: z.string().optional(),
    html: z.string().optional(),
  })
  .refine(({ text, html }) => text !== undefined || html !== undefined, { path: ['html'] })
export type SendRequest = z.infer<typeof SendRequest>

const REQUIRED = ['from', 'to', 'subject'] as const
const MAX_KEY_LENGTH = 256

/** @throws MailApiError 401 */
export function authorise(headers: IncomingHttpHeaders, apiKey: string): void {
  const given = /^Bearer (.+)$/i.exec(headers.authorization ?? '')?.[1]
  if (given === undefined) throw new MailApiError(401, 'missing_api_key', 'Missing API key')
  const [a, b] = [Buffer.from(given), Buffer.from(apiKey)]
  if (a.length !== b.length || !timingSafeEqual(a, b))
    throw new MailApiError(401, 'invalid_api_key', 'API key is invalid')
}

/** The caller's `Idempotency-Key`, where it sent one. @throws MailApiError 400 */
export function readIdempotencyKey(headers: IncomingHttpHeaders): string | null {
  const key = headers['idempotency-key']
  if (key === undefined) return null
  if (typeof key !== 'string' || key.length < 1 || key.length > MAX_KEY_LENGTH)
    throw new MailApiError(
      400,
      'invalid_idempotency_key',
      `The key must have 1 to ${MAX_KEY_LENGTH} characters`,
    )
  return key
}

/** @throws MailApiError 400 where the body is no JSON, 422 naming the fields that are missing or wrong */
export function readSendRequest(body: string): SendRequest {
  const json = parseJson(body)
  const given = z.record(z.string(), z.unknown()).catch({}).parse(json)
  const missing: string[] = REQUIRED.filter((name) => !given[name])
  if (!given.text && !given.html) missing.push('html')
  if (missing.length > 0) {
    const names = missing.map((name) => `\`${name}\``).join(', ')
    throw new MailApiError(422, 'missing_required_field', `Missing ${names}`)
  }
  const result = SendRequest.safeParse(json)
  if (result.success) return result.data
  const wrong = result.error.issues.map(({ path, message }) => `\`${String(path[0])}\` ${message}`)
  throw new MailApiError(422, 'validation_error', wrong.join('; '))
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new MailApiError(400, 'validation_error', 'The body is not JSON')
  }
}
