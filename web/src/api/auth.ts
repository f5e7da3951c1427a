import type { InvitationPreview } from '../../../src/http/wire.ts'
import { type ApiError, isAbort, networkError, readApiError, readAs, request, toApiError } from './http.ts'

/** What the sign-in service takes, in characters (`src/adapters/auth/password-rules.ts`). */
export const MIN_PASSWORD_LENGTH = 10

/** `GET /api/v1/public/deployment` */
export interface Deployment {
  /** Who may sign up, once somebody has. */
  signup: 'open' | 'invite' | 'closed'
  /** Whether somebody has signed up. The first may always, and runs the deployment. */
  claimed: boolean
  /** Whether mail can be sent. */
  mail: boolean
}

/** A browser in which somebody is signed in. */
export interface SignedInSession {
  id: string
  /** What ends it. */
  token: string
  ipAddress: string | null
  userAgent: string | null
  createdAt: string
}

interface AskOptions {
  /** Sent as JSON, by POST. */
  json?: unknown
  /** How a refusal is read: of somebody who was signed in, it may mean that they no longer are. */
  toError: (response: Response) => Promise<ApiError>
  signal?: AbortSignal | undefined
}

async function ask<T>(path: string, { json, toError, signal }: AskOptions): Promise<T> {
  const init: RequestInit = {
    headers: { accept: 'application/json', 'x-requested-with': 'tidemark' },
    credentials: 'same-origin',
  }
  if (signal !== undefined) init.signal = signal
  if (json !== undefined) {
    init.method = 'POST'
    init.headers = { ...init.headers, 'content-type': 'application/json' }
    init.body = JSON.stringify(json)
  }
  let response: Response
  try {
    response = await fetch(`/auth${path}`, init)
  } catch (error) {
    if (isAbort(error)) throw error
    throw networkError()
  }
  if (!response.ok) throw await toError(response)
  return await readAs<T>(response)
}

/** By anybody: whoever is refused is where they can sign in. */
const asAnybody = (path: string, json?: unknown) => ask<unknown>(path, { json, toError: readApiError })

/** By somebody who is signed in. */
const asOneself = (path: string, json: unknown) => ask<unknown>(path, { json, toError: toApiError })

/**
 * Whether this browser has a session. Unlike the API, the sign-in service answers the question without a
 * refusal, which would stand in the console of every visitor. Where it does not answer, the API may tell.
 */
export async function mayHaveSession(): Promise<boolean> {
  try {
    return (await asAnybody('/get-session')) !== null
  } catch {
    return true
  }
}

export const getDeployment = (signal?: AbortSignal) => request<Deployment>('/public/deployment', { signal })

export const signIn = (credentials: { email: string; password: string }) =>
  asAnybody('/sign-in/email', credentials)

export const signUp = (person: {
  name: string
  email: string
  password: string
  /** The token of the link they follow. */
  invitation?: string | undefined
}) => asAnybody('/sign-up/email', person)

export const signOut = () => asAnybody('/sign-out', {})

/** Answers the same whether or not somebody has this address. */
export const requestPasswordReset = (email: string) => asAnybody('/request-password-reset', { email })

/** Sets another password by a link, and ends every session. */
export const resetPassword = (token: string, newPassword: string) =>
  asAnybody('/reset-password', { token, newPassword })

/** Confirms an address by a link. */
export const verifyEmail = (token: string) => asAnybody(`/verify-email?${new URLSearchParams({ token })}`)

export const sendVerificationEmail = (email: string) => asOneself('/send-verification-email', { email })

export const updateName = (name: string) => asOneself('/update-user', { name })

export const changePassword = (change: {
  currentPassword: string
  newPassword: string
  revokeOtherSessions: boolean
}) => asOneself('/change-password', change)

export interface SignedInSessions {
  sessions: SignedInSession[]
  /** The one that asks. */
  currentId: string | null
}

/** Where the reader is signed in, the one at hand first, then the newest. */
export async function getSessions(signal?: AbortSignal): Promise<SignedInSessions> {
  const [sessions, current] = await Promise.all([
    ask<SignedInSession[]>('/list-sessions', { toError: toApiError, signal }),
    ask<{ session: { id: string } } | null>('/get-session', { toError: toApiError, signal }),
  ])
  const currentId = current?.session.id ?? null
  const rank = ({ id }: SignedInSession) => (id === currentId ? 0 : 1)
  sessions.sort((a, b) => rank(a) - rank(b) || b.createdAt.localeCompare(a.createdAt))
  return { sessions, currentId }
}

export const endSession = (token: string) => asOneself('/revoke-session', { token })

export const endOtherSessions = () => asOneself('/revoke-other-sessions', {})

/** Ends the one at hand as well. */
export const endEverySession = () => asOneself('/revoke-sessions', {})

/** What a link says. */
export const previewInvitation = (token: string, signal?: AbortSignal) =>
  request<InvitationPreview>('/public/invitations/preview', { method: 'POST', json: { token }, signal })

/** Becomes a member by a link; doing it again changes nothing. */
export const acceptInvitation = (token: string) =>
  request<{ workspaceId: string }>('/invitations/accept', { method: 'POST', json: { token } })
