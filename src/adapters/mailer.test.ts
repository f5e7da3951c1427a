import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import * as z from 'zod'
import {
  type HttpHandler,
  type HttpServer,
  listen,
  readBody,
  sendJson,
} from '../../scripts/local/lib/http-server.ts'
import { type Mailbox, startMailbox } from '../../scripts/local/mail/index.ts'
import { StoredMail } from '../../scripts/local/mail/mail-store.ts'
import { AppError } from '../errors.ts'
import { createMailer, type MailerOptions } from './mailer.ts'

const API_KEY = 're_hunter2'
const FROM = 'Tidemark <mail@tidemark.example>'
const MAIL = {
  to: 'ada@secret.example',
  subject: 'Your token',
  text: 'https://tidemark.example/reset?token=s3cret',
  html: '<a href="https://tidemark.example/reset?token=s3cret">Reset</a>',
}
/** What no error may say. */
const SECRETS = /hunter2|s3cret|secret\.example|Your token/

let directory: string
let mailbox: Mailbox
let service: HttpServer | undefined

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'tidemark-mailer-'))
  mailbox = await startMailbox({ apiKey: API_KEY, dataFile: join(directory, 'mail.json') })
})
afterEach(async () => {
  await mailbox.stop()
  await service?.close()
  service = undefined
  rmSync(directory, { recursive: true, force: true })
})

/** A mailer, and how long it has waited between attempts. */
function mailer(options: Partial<MailerOptions> = {}) {
  const pausesMs: number[] = []
  const made = createMailer({
    apiUrl: mailbox.url,
    apiKey: API_KEY,
    from: FROM,
    sleep: async (ms) => void pausesMs.push(ms),
    ...options,
  })
  if (made === null) throw new Error('There is no mailer')
  return { send: () => made.send(MAIL), pausesMs }
}

async function mails(): Promise<StoredMail[]> {
  const response = await fetch(`${mailbox.url}/mails.json`)
  return z.object({ mails: z.array(StoredMail) }).parse(await response.json()).mails
}

/**
 * Stands before the mailbox: answers as it is told, once each, and then passes requests on.
 * @returns its address, and the key of every request
 */
async function troubled(...answers: HttpHandler[]) {
  const keys: string[] = []
  service = await listen(async (req, res) => {
    keys.push(String(req.headers['idempotency-key']))
    const body = (await readBody(req, 100_000)).toString()
    const answer = answers.shift()
    const pass = async () => {
      const passed = await fetch(mailbox.url + req.url, {
        method: 'POST',
        headers: {
          authorization: req.headers.authorization ?? '',
          'idempotency-key': String(req.headers['idempotency-key']),
        },
        body,
      })
      return passed.json()
    }
    if (answer === undefined) sendJson(res, 200, await pass())
    else if (answer === lostAnswer) {
      await pass()
      res.destroy()
    } else await answer(req, res)
  })
  return { apiUrl: service.url, keys }
}

/** The mail is taken, and the connection breaks before that is said. */
const lostAnswer: HttpHandler = () => {}
const answer =
  (status: number, name: string, headers: Record<string, string> = {}): HttpHandler =>
  (_, res) =>
    // Services like to repeat what they were sent.
    sendJson(res, status, { statusCode: status, name, message: JSON.stringify(MAIL) + API_KEY }, headers)
const silence: HttpHandler = () => new Promise(() => {})

/** @throws unless it is an error that may be shown and logged */
async function failureOf(sending: Promise<void>): Promise<AppError> {
  const error = await sending.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof AppError)) throw new Error('It did not fail as services fail')
  const said = [error.message, error.stack, error.cause instanceof Error ? error.cause.stack : error.cause]
  expect(said.join('\n')).not.toMatch(SECRETS)
  expect(error.code).toBe('unavailable')
  return error
}

const causeOf = (error: AppError) => (error.cause instanceof Error ? error.cause.message : '')

test('without a key or a sender there is no mailer', () => {
  const options = { apiUrl: 'https://api.resend.com', apiKey: API_KEY, from: FROM }
  expect(createMailer({ ...options, apiKey: undefined })).toBeNull()
  expect(createMailer({ ...options, from: undefined })).toBeNull()
  expect(createMailer(options)).not.toBeNull()
})

test('a mail arrives as it was handed over', async () => {
  const { send, pausesMs } = mailer()
  await send()
  const { to, ...rest } = MAIL
  expect(await mails()).toMatchObject([{ ...rest, from: FROM, to: [to] }])
  expect(pausesMs).toEqual([])
})

test('two mails that say the same are two mails', async () => {
  const { send } = mailer()
  await send()
  await send()
  expect(await mails()).toHaveLength(2)
})

test('trouble that passes is waited out, and the mail arrives once', async () => {
  const { apiUrl, keys } = await troubled(answer(500, 'internal_server_error'), lostAnswer)
  const { send, pausesMs } = mailer({ apiUrl })
  await send()
  expect(await mails()).toHaveLength(1)
  expect(keys).toHaveLength(3)
  expect(new Set(keys).size).toBe(1)
  expect(keys[0]).toMatch(/^[0-9a-f-]{36}$/)
  expect(pausesMs).toHaveLength(2)
  expect(pausesMs[0]).toBeLessThan(500)
  expect(pausesMs[1]).toBeLessThan(1_000)
})

test('pauses differ from one mail to the next', async () => {
  const pauses = new Set<number | undefined>()
  for (let round = 0; round < 3; round += 1) {
    const { apiUrl } = await troubled(answer(503, 'unavailable'))
    const { send, pausesMs } = mailer({ apiUrl })
    await send()
    pauses.add(pausesMs[0])
    await service?.close()
  }
  expect(pauses.size).toBe(3)
})

test('"too many" is waited for as long as was asked', async () => {
  const { apiUrl } = await troubled(answer(429, 'rate_limit_exceeded', { 'retry-after': '2' }))
  const { send, pausesMs } = mailer({ apiUrl })
  await send()
  expect(pausesMs).toHaveLength(1)
  expect(pausesMs[0]).toBeGreaterThanOrEqual(1_900)
  expect(pausesMs[0]).toBeLessThan(2_600)
  expect(await mails()).toHaveLength(1)
})

test('a longer wait is left to whoever asked for the mail', async () => {
  const { apiUrl, keys } = await troubled(answer(429, 'daily_quota_exceeded', { 'retry-after': '3600' }))
  const { send, pausesMs } = mailer({ apiUrl })
  const error = await failureOf(send())
  expect([error.retryable, error.retryAfterMs]).toEqual([true, 3_600_000])
  expect(causeOf(error)).toContain('429 daily_quota_exceeded')
  expect([keys.length, pausesMs.length]).toEqual([1, 0])
})

test('a repetition that overtakes the first attempt waits for it', async () => {
  const { apiUrl } = await troubled(answer(409, 'concurrent_idempotent_requests'))
  await mailer({ apiUrl }).send()
  expect(await mails()).toHaveLength(1)
})

test('three attempts are enough', async () => {
  const { apiUrl, keys } = await troubled(...Array.from({ length: 5 }, () => answer(502, 'bad_gateway')))
  const error = await failureOf(mailer({ apiUrl }).send())
  expect(error.retryable).toBe(true)
  expect(causeOf(error)).toBe('Mail was not sent: the service answered 502 bad_gateway, 3 times')
  expect(keys).toHaveLength(3)
})

test('no answer is waited for so long, and then tried again', async () => {
  const { apiUrl, keys } = await troubled(silence)
  await mailer({ apiUrl, timeoutMs: 100 }).send()
  expect(keys).toHaveLength(2)
  expect(await mails()).toHaveLength(1)
})

test('a service that is not there is named as such', async () => {
  const { apiUrl } = await troubled()
  await service?.close()
  expect(causeOf(await failureOf(mailer({ apiUrl }).send()))).toContain('could not be reached (TypeError)')
})

test.each([
  [401, 'invalid_api_key'],
  [403, 'validation_error'],
  [422, 'missing_required_field'],
  [409, 'invalid_idempotent_request'],
])('%i %s is not tried again', async (status, name) => {
  const { apiUrl, keys } = await troubled(answer(status, name))
  const error = await failureOf(mailer({ apiUrl }).send())
  expect(error.retryable).toBe(false)
  expect(causeOf(error)).toBe(`Mail was not sent: the service answered ${status} ${name}`)
  expect(keys).toHaveLength(1)
})

test('an error whose name is not one is not repeated', async () => {
  const { apiUrl } = await troubled(answer(400, `no such address: ${MAIL.to}`))
  expect(causeOf(await failureOf(mailer({ apiUrl }).send()))).toBe(
    'Mail was not sent: the service answered 400',
  )
})

test('the key does not follow a redirect', async () => {
  const { apiUrl, keys } = await troubled(
    (_, res) => void res.writeHead(307, { location: '/elsewhere' }).end(),
  )
  const error = await failureOf(mailer({ apiUrl }).send())
  expect(causeOf(error)).toContain('307')
  expect(keys).toHaveLength(1)
})

test('a key that is no header does not appear in the error about it', async () => {
  const error = await failureOf(mailer({ apiKey: 're_hunter2\nx' }).send())
  expect(causeOf(error)).toContain('TypeError')
})

test('a wrong key is refused by the mailbox', async () => {
  const error = await failureOf(mailer({ apiKey: 're_wrong' }).send())
  expect(causeOf(error)).toContain('401 invalid_api_key')
})
