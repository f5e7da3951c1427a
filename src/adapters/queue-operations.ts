import type { Client } from '@upstash/qstash'
import * as z from 'zod'
import { AppError } from '../errors.ts'
import type { DeadLetter, DeadLetters, Schedules } from '../ports.ts'
import { within } from '../resilience/timeout.ts'
import { type QueueAccess, queueClient } from './queue.ts'
import { redactText } from './redact-text.ts'

/** What operators see and do of the queue: its dead letters and its schedules. */

const TIMEOUT_MS = 10_000
/** Ids of the queue's own; what looks otherwise could name several letters, or another address. */
const LETTER_ID = /^[\w-]{1,200}$/
const MAX_CAUSE = 500
/** A callback's way to say that no further attempt is worth it, whichever attempt that was. */
const NEVER_AGAIN = 489

/** Messages that the queue has given up. */
export function createDeadLetters(access: QueueAccess): DeadLetters {
  const client = queueClient(access)

  /** Asked first: the vendor's client writes to the console whatever is refused. */
  const isThere = async (id: string): Promise<boolean> => {
    if (!LETTER_ID.test(id)) return false
    const { messages } = await client.dlq.listMessages({ dlqIds: [id] })
    return messages.some(({ dlqId }) => dlqId === id)
  }

  return {
    list: ({ cursor, limit }) =>
      asked(access, async () => {
        const { messages, cursor: next } = await client.dlq.listMessages({
          count: limit,
          ...(cursor === null ? {} : { cursor }),
        })
        return { items: messages.map(letterOf), nextCursor: next || null }
      }),
    retry: (id) =>
      asked(access, async () => {
        if (!(await isThere(id))) return false
        const { responses } = await orUnknown({ responses: [] }, client.dlq.retry(id))
        return responses.length > 0
      }),
    remove: (id) =>
      asked(access, async () => {
        if (!(await isThere(id))) return false
        const { deleted } = await orUnknown({ deleted: 0 }, client.dlq.delete(id))
        return deleted > 0
      }),
  }
}

/** Schedules as they are registered, whoever registered them. */
export function createSchedules(access: QueueAccess): Schedules {
  const client = queueClient(access)
  return { list: () => asked(access, () => client.schedules.list()) }
}

async function asked<T>(access: QueueAccess, ask: () => Promise<T>): Promise<T> {
  try {
    return await within(access.timeoutMs ?? TIMEOUT_MS, ask())
  } catch (error) {
    throw new AppError('unavailable', 'The queue does not answer at the moment.', { cause: error })
  }
}

/** What is gone since it was looked for: somebody else was faster. */
async function orUnknown<T>(unknown: T, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    if (error instanceof Error && 'status' in error && error.status === 404) return unknown
    throw error
  }
}

type Letter = Awaited<ReturnType<Client['dlq']['listMessages']>>['messages'][number]

function letterOf(message: Letter): DeadLetter {
  const status = message.responseStatus || null
  return {
    id: message.dlqId,
    url: message.url,
    createdAt: new Date(message.createdAt).toISOString(),
    attempts: status === NEVER_AGAIN || message.maxRetries === undefined ? null : message.maxRetries + 1,
    status,
    cause: causeOf(message.responseBody),
    workspaceId: workspaceOf(message.body),
    scheduleId: message.scheduleId ?? null,
  }
}

/** Callbacks answer with a code, and a sentence where there is one to be shown. */
const Verdict = z.object({ code: z.string(), detail: z.string().optional() })

function causeOf(answer: string | undefined): string | null {
  if (answer === undefined || answer === '') return null
  const verdict = Verdict.safeParse(parseJson(answer))
  const text = verdict.success ? [verdict.data.code, verdict.data.detail].filter(Boolean).join(': ') : answer
  const shown = redactText(text)
  return shown.length > MAX_CAUSE ? `${shown.slice(0, MAX_CAUSE - 1)}…` : shown
}

const InWorkspace = z.object({ workspaceId: z.uuid() })
/** Messages name their workspace, or one for each account or post that they are about. */
const Message = z.object({
  workspaceId: z.uuid().optional(),
  accounts: z.array(InWorkspace).optional(),
  posts: z.array(InWorkspace).optional(),
})

function workspaceOf(body: string | undefined): string | null {
  const message = Message.safeParse(parseJson(body ?? ''))
  if (!message.success) return null
  const { workspaceId, accounts = [], posts = [] } = message.data
  const named = new Set([...accounts, ...posts].map((part) => part.workspaceId))
  if (workspaceId !== undefined) named.add(workspaceId)
  const [only = null] = named
  return named.size === 1 ? only : null
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
