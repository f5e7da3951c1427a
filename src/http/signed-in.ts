import type { Context } from 'hono'
import type { Session } from '../ports.ts'
import type { Person } from '../services/access/identify.ts'
import { dbWithinReach } from '../services/access/reach.ts'
import type { Actor, ServiceContext } from '../services/context.ts'
import type { HttpDeps, HttpEnv } from './context.ts'

/** Who is signed in, by their session cookie. */
export interface SignedIn {
  session: Session
  person: Person
  /** Cookies to renew the session with. */
  setCookies: string[]
}

/** @returns `null` where nobody is, or their session was ended */
export async function findSignedIn(c: Context<HttpEnv>): Promise<SignedIn | null> {
  const { deps } = c.var
  const headers = c.req.raw.headers
  let session: Session | null = await deps.readSession(headers)
  let setCookies: string[] = []
  if (session === null && headers.get('cookie')?.includes('tidemark') === true) {
    const renewed = await (await deps.auth()).session(headers)
    session = renewed
    setCookies = renewed?.setCookies ?? []
  }
  // The cookie is believed for minutes; whether its session was ended meanwhile, for seconds.
  const person = session === null ? null : await deps.directory.person(session.user.id, session.id)
  return session === null || person === null ? null : { session, person, setCookies }
}

/** A person's request in one of their workspaces. */
export function contextIn(
  c: Context<HttpEnv>,
  { session: { user }, person }: SignedIn,
  workspace: Person['workspaces'][number],
): ServiceContext {
  const { deps, requestId } = c.var
  const actor: Actor = {
    kind: 'user',
    userId: user.id,
    email: user.email,
    role: workspace.role,
    brands: workspace.brands,
    operator: person.operator || isNamedOperator(deps, person.emailVerified ? user.email : null),
  }
  return {
    ...deps.services,
    db: dbWithinReach(deps.services.db, actor),
    workspace: { id: workspace.workspaceId, timezone: workspace.timezone },
    actor,
    requestId,
    origin: originOf(c),
  }
}

/** `OPERATOR_EMAILS` count once they are verified: anybody may claim an address. */
export function isNamedOperator(deps: HttpDeps, verifiedEmail: string | null): boolean {
  return verifiedEmail !== null && deps.config.operatorEmails.includes(verifiedEmail.toLowerCase())
}

export function originOf(c: Context<HttpEnv>): ServiceContext['origin'] {
  return {
    ip: c.req.header('cf-connecting-ip') ?? null,
    userAgent: c.req.header('user-agent')?.slice(0, 300) ?? null,
  }
}
