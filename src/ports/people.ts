export interface SessionUser {
  id: string
  email: string
  name: string
}

/** A person who is signed in, on one device. */
export interface Session {
  id: string
  user: SessionUser
}

/** Where a request came from, as the audit log keeps it. */
export interface RequestOrigin {
  ip: string | null
  userAgent: string | null
  requestId: string
}

export interface Auth {
  /**
   * Serves what of `/auth/*` the route lets through.
   * @throws AppError what it refuses
   */
  handle(request: Request): Promise<Response>
  /** Looks a session up in the database; the answer carries a renewed cookie. */
  session(headers: Headers): Promise<(Session & { setCookies: string[] }) | null>
}

/** What happens to people's access; told by `Auth`. */
export interface PeopleListener {
  /**
   * Somebody has just signed up.
   * @param invitation the token of the link that let them in
   * @throws AppError when they may not stay after all: others were first
   */
  signedUp(user: SessionUser, invitation: string | null, origin: RequestOrigin): Promise<void>
  /** Somebody has just signed in; repairs what a crash at their sign-up left undone. */
  signedIn(user: SessionUser): Promise<void>
  sessionEnded(sessionId: string): Promise<void>
  /** Sessions of a person ended, or their password is another one. */
  accessChanged(userId: string, change: AccessChange, origin: RequestOrigin): Promise<void>
  /** An address was proved to be its person's. */
  addressVerified(userId: string): Promise<void>
  /** Goes on after the answer: how long a mail takes tells whether there is such a person. */
  sendPasswordReset(user: SessionUser, token: string, expiresInMinutes: number): void
  sendVerification(user: SessionUser, token: string): void
}

export interface AccessChange {
  kind: 'password.changed' | 'password.reset' | 'sessions.ended' | 'signed_out'
  sessionsEnded: number
}

export interface Mail {
  /** One address. */
  to: string
  subject: string
  text: string
  html: string
}

export interface Mailer {
  /**
   * Hands a mail to the service that delivers it; resolves when that has taken it.
   * @throws AppError `unavailable` when it does not
   */
  send(mail: Mail): Promise<void>
}
