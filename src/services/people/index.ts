import type { PeopleListener } from '../../ports.ts'
import type { Message } from '../mail/messages.ts'
import { passwordResetMail, verificationMail } from '../mail/messages.ts'
import { noteAccessChange } from './access-change.ts'
import { admit, settle } from './admission.ts'
import { existingPersonMail } from './messages.ts'
import type { PeopleParts } from './parts.ts'

/** What is decided about people who sign up, and done when their access changes. */
export interface People extends PeopleListener {
  /** @throws AppError why somebody may not sign up, in words that say what to do */
  admit(email: string, invitation: string | null): Promise<void>
  /** Tells somebody who has an account that it was signed up with their address again; goes on after the answer. */
  sendReminder(email: string): void
}

/** A link's token stands behind `#`: browsers keep that to themselves, so that no log and no Referer has it. */
export function createPeople(parts: PeopleParts): People {
  const { directory, publicUrl } = parts
  const send = (to: string, message: Message) => {
    const sending = parts.mailer?.send({ to, ...message })
    if (sending !== undefined)
      parts.waitUntil(sending.catch((error: unknown) => parts.log.error('mail not sent', { error })))
  }
  return {
    admit: (email, invitation) => admit(parts, email, invitation),
    signedUp: (user, invitation, origin) => settle(parts, user, invitation, origin),
    signedIn: (user) => directory.welcome(user),
    sessionEnded: (sessionId) => directory.forgetSession(sessionId),
    accessChanged: (userId, change, origin) => noteAccessChange(parts, userId, change, origin),
    addressVerified: (userId) => directory.forgetUser(userId),
    sendPasswordReset({ name, email }, token, expiresInMinutes) {
      send(email, passwordResetMail({ name, url: `${publicUrl}/reset-password#${token}`, expiresInMinutes }))
    },
    sendVerification({ name, email }, token) {
      send(email, verificationMail({ name, url: `${publicUrl}/verify-email#${token}` }))
    },
    sendReminder: (email) => send(email, existingPersonMail(`${publicUrl}/sign-in`)),
  }
}
