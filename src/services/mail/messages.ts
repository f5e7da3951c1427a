import type { Mail } from '../../ports.ts'
import { oneLine, renderMail } from './render-mail.ts'

/** A mail that has no recipient yet. */
export type Message = Omit<Mail, 'to'>

/** Names are chosen by strangers: a long one could be a message of its own. In characters. */
const MAX_NAME = 60

/** For somebody who has forgotten their password. @param person.url good once, for so many minutes */
export function passwordResetMail(person: { name: string; url: string; expiresInMinutes: number }): Message {
  const { name, url, expiresInMinutes } = person
  return {
    subject: 'Reset your Tidemark password',
    ...renderMail({
      heading: 'Reset your password',
      paragraphs: [
        greeting(name),
        'Somebody, hopefully you, has asked for a new password for your Tidemark account.',
        `The link works once, and for ${count(expiresInMinutes, 'minute')}.`,
      ],
      action: { label: 'Choose a new password', url },
      footnote: 'If it was not you, do nothing: your password stays as it is. Do not pass this mail on.',
    }),
  }
}

/** For somebody whose address is yet to be proved theirs. */
export function verificationMail({ name, url }: { name: string; url: string }): Message {
  return {
    subject: 'Confirm your e-mail address for Tidemark',
    ...renderMail({
      heading: 'Confirm your e-mail address',
      paragraphs: [
        greeting(name),
        'Please confirm that this address is yours, and that you use it with Tidemark.',
      ],
      action: { label: 'Confirm this address', url },
      footnote: 'If you have no Tidemark account, somebody has mistyped their address: do nothing.',
    }),
  }
}

export interface Invitation {
  workspaceName: string
  inviterName: string
  /** As people call it: `viewer`, `admin` … */
  role: string
  url: string
  /** RFC 3339. */
  expiresAt: string
}

/** For somebody who may join a workspace. @throws RangeError when `expiresAt` is no time */
export function invitationMail({ workspaceName, inviterName, role, url, expiresAt }: Invitation): Message {
  const workspace = shortName(workspaceName) || 'a workspace'
  const inviter = shortName(inviterName) || 'Somebody'
  return {
    subject: `${inviter} invites you to ${workspace} on Tidemark`,
    ...renderMail({
      heading: `Join ${workspace}`,
      paragraphs: [
        `${inviter} invites you to the workspace “${workspace}” on Tidemark, as ${oneLine(role)}.`,
        `The invitation is good until ${timeOf(new Date(expiresAt))} UTC.`,
      ],
      action: { label: 'Accept the invitation', url },
      footnote:
        'If you do not know who this is, do nothing. Whoever has this link can join: do not pass it on.',
    }),
  }
}

/** Not kept: making a formatter takes longer than a mail, and so does loading this module with one. */
function timeOf(date: Date): string {
  return new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeStyle: 'short', timeZone: 'UTC' }).format(
    date,
  )
}

function greeting(name: string): string {
  const short = shortName(name)
  return short === '' ? 'Hello,' : `Hello ${short},`
}

function shortName(name: string): string {
  const characters = [...oneLine(name)]
  return characters.length > MAX_NAME ? `${characters.slice(0, MAX_NAME - 1).join('')}…` : characters.join('')
}

function count(number: number, unit: string): string {
  return `${number} ${unit}${number === 1 ? '' : 's'}`
}
