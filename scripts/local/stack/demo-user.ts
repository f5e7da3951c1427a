import { Client } from 'pg'
import { z } from 'zod'
import { DEMO_EMAIL } from './configuration.ts'

export interface Instance {
  url: string
  email: string
  password: string
  apiKey: string
  workspaceId: string
}

export interface DemoUserOptions {
  url: string
  /** The one to set, and to sign in with. */
  password: string
  /** Of the last start; made anew where it does not work any more. */
  apiKey: string | undefined
}

/** The demo user cannot be reached with what was kept. */
export class DemoUserError extends Error {}

const SCOPES = ['read', 'write', 'admin', 'operator']
const TIMEOUT_MS = 15_000

const Me = z.object({ workspace: z.object({ id: z.string() }) })
const CreatedKey = z.object({ key: z.string() })

/**
 * Makes sure that there is a person with a workspace and a key for all of it, as anybody would: over HTTP.
 * @throws DemoUserError when that person exists and has another password now, or the Worker refuses.
 */
export async function ensureDemoUser({ url, password, apiKey }: DemoUserOptions): Promise<Instance> {
  const known = apiKey === undefined ? undefined : await workspaceOf(url, apiKey)
  if (apiKey !== undefined && known !== undefined)
    return { url, email: DEMO_EMAIL, password, apiKey, workspaceId: known }

  const cookie = (await signUp(url, password)) ?? (await signIn(url, password))
  const created = await call(url, '/api/v1/api-keys', {
    method: 'POST',
    headers: { cookie, origin: url, 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'Local stack', scopes: SCOPES }),
  })
  const { key } = CreatedKey.parse(await answerOf(created, 'make an API key'))
  const workspaceId = await workspaceOf(url, key)
  if (workspaceId === undefined)
    throw new DemoUserError('The Worker does not know the API key it has just made')
  return { url, email: DEMO_EMAIL, password, apiKey: key, workspaceId }
}

/** Takes the demo user's address as confirmed: nobody reads its mail, and the page would ask for it for ever. */
export async function confirmDemoAddress(ownerUrl: string): Promise<void> {
  const owner = new Client({ connectionString: ownerUrl })
  await owner.connect()
  try {
    await owner.query('UPDATE auth_users SET email_verified = TRUE WHERE email = $1', [DEMO_EMAIL])
  } finally {
    await owner.end()
  }
}

/** The workspace that a key belongs to; `undefined` where the key is not valid (any more). */
async function workspaceOf(url: string, apiKey: string): Promise<string | undefined> {
  const response = await call(url, '/api/v1/me', { headers: { authorization: `Bearer ${apiKey}` } })
  if (response.status === 401) return undefined
  return Me.parse(await answerOf(response, 'say who the API key belongs to')).workspace.id
}

/** The session's cookie; `undefined` where that e-mail is somebody's already. */
async function signUp(url: string, password: string): Promise<string | undefined> {
  const response = await postAuth(url, '/auth/sign-up/email', { name: 'Demo', email: DEMO_EMAIL, password })
  if (response.status === 422) return undefined
  await answerOf(response, 'sign up')
  return cookieOf(response)
}

async function signIn(url: string, password: string): Promise<string> {
  const response = await postAuth(url, '/auth/sign-in/email', { email: DEMO_EMAIL, password })
  if (response.status === 401)
    throw new DemoUserError(
      `${DEMO_EMAIL} has another password than the one that was made for it. ` +
        'Start with --reset to begin anew, or set it back.',
    )
  await answerOf(response, 'sign in')
  return cookieOf(response)
}

function postAuth(url: string, path: string, body: object): Promise<Response> {
  return call(url, path, {
    method: 'POST',
    headers: { origin: url, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
}

function call(url: string, path: string, init: RequestInit): Promise<Response> {
  return fetch(new URL(path, url), { ...init, signal: AbortSignal.timeout(TIMEOUT_MS) })
}

/** @throws DemoUserError with what the Worker says, unless it agrees. */
async function answerOf(response: Response, doing: string): Promise<unknown> {
  const text = await response.text()
  if (!response.ok)
    throw new DemoUserError(`The Worker refuses to ${doing}: ${response.status} ${text.slice(0, 500)}`)
  return JSON.parse(text)
}

function cookieOf(response: Response): string {
  return response.headers
    .getSetCookie()
    .map((cookie) => cookie.split(';')[0])
    .join('; ')
}
