/**
 * Tickets for the WebSocket upgrade, which cannot carry an Authorization header from a browser. A ticket is
 * `<workspaceId>.<secret>`: the Worker routes by the first part without asking a database, and the hub keeps
 * nothing but a hash of the second.
 */

import { toBase64Url } from '../lib/base64url.ts'
import { sha256Hex } from '../lib/hash.ts'

/** How long a ticket may be used. */
export const TICKET_LIFE_MS = 30_000

const WORKSPACE_ID = /^[A-Za-z0-9_-]{1,64}$/
/** 32 bytes in base64url. */
const SECRET = /^[A-Za-z0-9_-]{43}$/

export interface NewTicket {
  /** What the client presents. */
  ticket: string
  /** SHA-256 of the secret part, hex: what the hub keeps. */
  hash: string
  /** Milliseconds since 1970. */
  expiresAtMs: number
}

/**
 * Makes a ticket for a workspace, or for the public, whose hub is called `public` as no workspace (a UUID) can be.
 * @throws RangeError when the workspace id could not be told from the secret (at most 64 letters, digits,
 * `_` or `-`).
 */
export async function createTicket(workspaceId: string, nowMs: number): Promise<NewTicket> {
  if (!WORKSPACE_ID.test(workspaceId)) throw new RangeError('This workspace id cannot be part of a ticket.')
  const secret = toBase64Url(crypto.getRandomValues(new Uint8Array(32)))
  return {
    ticket: `${workspaceId}.${secret}`,
    hash: await hashTicketSecret(secret),
    expiresAtMs: nowMs + TICKET_LIFE_MS,
  }
}

/** The parts of a ticket, or `null` where the text has not the shape of one. */
export function parseTicket(ticket: string | null): { workspaceId: string; secret: string } | null {
  if (ticket === null) return null
  const dot = ticket.indexOf('.')
  const workspaceId = ticket.slice(0, Math.max(dot, 0))
  const secret = ticket.slice(dot + 1)
  return WORKSPACE_ID.test(workspaceId) && SECRET.test(secret) ? { workspaceId, secret } : null
}

/** SHA-256 of a ticket's secret part, hex. */
export function hashTicketSecret(secret: string): Promise<string> {
  return sha256Hex(secret)
}
