import { ApiError, isAbort, networkError, readAs } from './http.ts'

/** What the sign-in service takes (`src/adapters/auth/auth.ts`). */
export const MIN_PASSWORD_LENGTH = 10
const MAX_PASSWORD_LENGTH = 200

/** Sentences for the codes of the sign-in service that its own messages explain badly. */
const MESSAGES: Readonly<Record<string, string>> = {
  INVALID_EMAIL_OR_PASSWORD: 'That e-mail and password do not belong together.',
  INVALID_EMAIL: 'This is not an e-mail address.',
  INVALID_PASSWORD: 'This password cannot be used.',
  PASSWORD_TOO_SHORT: `The password is too short: use at least ${MIN_PASSWORD_LENGTH} characters.`,
  PASSWORD_TOO_LONG: `The password is too long: use at most ${MAX_PASSWORD_LENGTH} characters.`,
  USER_ALREADY_EXISTS: 'There is an account with this e-mail already. Sign in instead.',
  USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL: 'There is an account with this e-mail already. Sign in instead.',
}

async function post(path: string, json: unknown): Promise<void> {
  let response: Response
  try {
    response = await fetch(`/auth${path}`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json',
        'x-requested-with': 'tidemark',
      },
      credentials: 'same-origin',
      body: JSON.stringify(json),
    })
  } catch (error) {
    if (isAbort(error)) throw error
    throw networkError()
  }
  if (response.ok) return
  let failure: { message?: string; code?: string; detail?: string } = {}
  try {
    failure = await readAs(response)
  } catch {
    // Not JSON: the status has to do.
  }
  const code = failure.code ?? 'unknown'
  const wait = Number.parseInt(
    response.headers.get('retry-after') ?? response.headers.get('x-retry-after') ?? '',
    10,
  )
  throw new ApiError(
    MESSAGES[code] ??
      failure.detail ??
      failure.message ??
      `That did not work (${response.status}). Try again.`,
    { status: response.status, code, retryAfterSeconds: Number.isNaN(wait) ? null : wait },
  )
}

/**
 * Whether this browser has a session. Unlike the API, the sign-in service answers the question without a
 * refusal, which would stand in the console of every visitor. Where it does not answer, the API may tell.
 */
export async function mayHaveSession(): Promise<boolean> {
  try {
    const response = await fetch('/auth/get-session', {
      headers: { accept: 'application/json' },
      credentials: 'same-origin',
    })
    return !response.ok || (await readAs<object | null>(response)) !== null
  } catch {
    return true
  }
}

export const signIn = (credentials: { email: string; password: string }) =>
  post('/sign-in/email', credentials)

export const signUp = (person: { name: string; email: string; password: string }) =>
  post('/sign-up/email', person)

export const signOut = () => post('/sign-out', {})
