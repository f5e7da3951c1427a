import { randomBytes, randomInt } from 'node:crypto'
import { z } from 'zod'
import { ImportReport } from '../../../src/services/imports/schemas.ts'
import { Client, parsed } from './client.ts'
import { until } from './wait.ts'

const CreatedKey = z.object({
  id: z.string(),
  key: z.string(),
  prefix: z.string(),
  scopes: z.array(z.string()),
})
const Me = z.object({ workspace: z.object({ id: z.string() }) })
const AcceptedJob = z.object({ id: z.string(), jobId: z.string() })

export interface Person {
  email: string
  password: string
  /** As a browser sends it. */
  cookie: string
  /** Asks with the cookie. */
  session: Client
  /** Asks with a key that has every scope of a workspace's own. */
  key: Client
  apiKey: string
  workspaceId: string
}

/** An address that nobody else has, so that limits by address do not add up over tests. */
export function freshIp(): string {
  return `198.${randomInt(18, 20)}.${randomInt(256)}.${randomInt(1, 255)}`
}

export function freshEmail(): string {
  return `${randomBytes(6).toString('hex')}@example.com`
}

/** The cookies that an answer sets, as they are sent back. */
export function cookiesOf(headers: Headers): string {
  return headers
    .getSetCookie()
    .map((cookie) => cookie.split(';')[0])
    .join('; ')
}

/** Somebody new, with a workspace of their own. */
export async function signUp(name = 'Ada'): Promise<Person> {
  const ip = { 'cf-connecting-ip': freshIp() }
  const email = freshEmail()
  const password = randomBytes(12).toString('base64url')
  const answer = await new Client(ip).post('/auth/sign-up/email', { name, email, password })
  if (answer.status !== 200) throw new Error(`sign-up: ${answer.status} ${answer.text}`)
  const cookie = cookiesOf(answer.headers)
  const session = new Client({ ...ip, cookie })
  const { key: apiKey } = await makeKey(session, ['read', 'write', 'admin'])
  const { workspace } = await session.read(Me, '/api/v1/me')
  return { email, password, cookie, session, key: bearer(apiKey), apiKey, workspaceId: workspace.id }
}

export function bearer(apiKey: string): Client {
  return new Client({ authorization: `Bearer ${apiKey}` })
}

export async function makeKey(by: Client, scopes: string[]): Promise<z.infer<typeof CreatedKey>> {
  return parsed(CreatedKey, await by.post('/api/v1/api-keys', { name: 'Test', scopes }), 201)
}

export interface ImportFile {
  platform?: string
  handle?: string
  type?: 'text/csv' | 'application/x-ndjson'
  body: string
}

/** Uploads a file. @returns the job's id */
export async function upload(by: Client, file: ImportFile): Promise<string> {
  const { platform = 'x', handle, type = 'application/x-ndjson', body } = file
  const query = new URLSearchParams({ platform, ...(handle !== undefined && { handle }) })
  const answer = await by.send('POST', `/api/v1/imports?${query}`, {
    body,
    headers: { 'content-type': type },
  })
  return parsed(AcceptedJob, answer, 202).jobId
}

/** An import's report, once it is over. */
export function importReport(by: Client, id: string, timeoutMs = 30_000): Promise<ImportReport> {
  return until(
    `the import ${id} ends`,
    async () => {
      const report = await by.read(ImportReport, `/api/v1/imports/${id}`)
      return report.status === 'queued' || report.status === 'running' ? null : report
    },
    { timeoutMs },
  )
}

/** Imports a file, and answers its report. */
export async function importFile(by: Client, file: ImportFile): Promise<ImportReport> {
  return importReport(by, await upload(by, file))
}

/** Lines of NDJSON. */
export const ndjson = (rows: object[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join('')
