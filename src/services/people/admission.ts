import { claimOperator } from '../../db/queries/access.ts'
import { acceptInvitation, previewInvitation } from '../../db/queries/invitations.ts'
import { AppError, notFound } from '../../errors.ts'
import { sha256Hex } from '../../lib/hash.ts'
import type { RequestOrigin, SessionUser } from '../../ports.ts'
import type { PeopleParts } from './parts.ts'

/** What nobody has made is not looked up: `tmi_` and 32 bytes in base64url. */
const TOKEN_SHAPE = /^tmi_[A-Za-z0-9_-]{43}$/

/**
 * Whether somebody may sign up, before anything is known of them: none of the answers tells whether there is
 * a person with this address. The first one may always come, so that somebody runs the deployment; where
 * the configuration names operators, they alone may be first.
 * @throws AppError why not, and what to do
 */
export async function admit(parts: PeopleParts, email: string, invitation: string | null): Promise<void> {
  if (!(await parts.directory.isClaimed())) {
    if (parts.operatorEmails.length === 0 || parts.operatorEmails.includes(email.toLowerCase())) return
    throw new AppError(
      'signup_closed',
      'The first to sign up has to be an operator whom the configuration names. Come back when they have.',
    )
  }
  if (parts.signupMode === 'closed')
    throw new AppError(
      'signup_closed',
      'Nobody can sign up here. Ask an operator to make an account for you.',
    )
  if (invitation !== null) return admitInvited(parts, email, invitation)
  if (parts.signupMode === 'invite')
    throw new AppError(
      'signup_closed',
      'Sign-up is by invitation. Ask somebody of the team for one, and sign up by the link in it.',
    )
}

async function admitInvited(parts: PeopleParts, email: string, token: string): Promise<void> {
  if (!TOKEN_SHAPE.test(token)) throw notFound('invitation')
  const lookup = previewInvitation(await sha256Hex(token), nowIso(parts))
  const [found] = await parts.db.outside(lookup)
  if (found === undefined) throw notFound('invitation')
  if (found.state !== 'open') throw noLongerGood(found.state)
  if (found.email !== null && found.email.toLowerCase() !== email.toLowerCase()) throw meantForAnother()
}

/**
 * Gives a person who has just signed up their place: the workspace that they were invited to, or one of
 * their own. Others may have been quicker since they were let in.
 * @throws AppError when they may not stay
 */
export async function settle(
  parts: PeopleParts,
  user: SessionUser,
  invitation: string | null,
  origin: RequestOrigin,
): Promise<void> {
  const { db, directory } = parts
  const [claim] = await db.outside(claimOperator(user.id))
  const isFirst = claim?.claimed === true
  if (!isFirst && invitation !== null) {
    const request = { ...origin, nowIso: nowIso(parts) }
    const [joined] = await db.outside(acceptInvitation(await sha256Hex(invitation), user.id, request))
    const outcome = joined?.outcome ?? 'unknown'
    if (outcome === 'wrong_email') throw meantForAnother()
    if (outcome !== 'joined' && outcome !== 'member') throw noLongerGood(outcome)
  } else if (!isFirst && parts.signupMode !== 'open') {
    throw new AppError('signup_closed', 'Somebody else was first. Ask them for an invitation.')
  }
  try {
    await directory.welcome(user)
  } catch (error) {
    // They are in: the next request or sign-in gives them their workspace.
    parts.log.warn('a new person has no workspace yet', { error })
  }
}

function nowIso({ clock }: PeopleParts): string {
  return new Date(clock.now()).toISOString()
}

function noLongerGood(state: string): AppError {
  const reason = state === 'open' || state === 'unknown' ? 'no longer good' : state
  return new AppError('gone', `This invitation is ${reason}. Ask for a new one.`)
}

function meantForAnother(): AppError {
  return new AppError(
    'wrong_person',
    'This invitation is for another e-mail address. Sign up with that one, or ask for an invitation of your own.',
  )
}
