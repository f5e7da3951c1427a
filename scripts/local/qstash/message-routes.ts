import { z } from 'zod'
import { ApiError } from './api-error.ts'
import type { Dispatcher } from './dispatcher.ts'
import { multiValue, type Page, paginate, parseFilter } from './filters.ts'
import { newId } from './ids.ts'
import {
  filterableDeadLetter,
  filterableLog,
  filterableMessage,
  presentDeadLetter,
  presentMessage,
} from './presentation.ts'
import type { PublishAnswer, Publisher } from './publish.ts'
import { checkName } from './publish-options.ts'
import type { ApiAnswer, ApiRequest, Route } from './server.ts'
import type { MessageStore } from './store.ts'
import type { Clock, DeadLetter, MessageDraft } from './types.ts'

const batchSchema = z.array(
  z.object({
    destination: z.string(),
    headers: z.record(z.string(), z.string()).default({}),
    body: z.string().nullish(),
    queue: z.string().optional(),
  }),
)

/** Publishing, messages on their way, the dead-letter list and logs. */
export function messageRoutes(options: {
  store: MessageStore
  dispatcher: Dispatcher
  publisher: Publisher
  clock: Clock
}): Route[] {
  const { store, dispatcher, publisher, clock } = options

  const publish: Route = (request) => {
    if (request.method !== 'POST') return undefined
    const [verb, first = ''] = request.segments
    if (verb === 'publish') return answerPublish(publisher, request, 'publish/', undefined)
    if (verb !== 'enqueue') return undefined
    const queueName = checkName('queue name', first)
    return answerPublish(publisher, request, `enqueue/${first}/`, queueName)
  }

  const batch: Route = (request) => {
    if (request.method !== 'POST' || request.rawPath !== 'batch') return undefined
    const items = readJson(batchSchema, request.body)
    const requests = items.map((item) => ({
      destination: item.destination,
      headers: lowerCaseNames(item.headers),
      body: Buffer.from(item.body ?? ''),
      callerIp: request.callerIp,
      queueName: item.queue === undefined ? undefined : checkName('queue name', item.queue),
    }))
    return { status: 200, body: publisher.publish(requests) }
  }

  const messages: Route = ({ method, segments, query }) => {
    const [collection, messageId, ...rest] = segments
    if (collection !== 'messages' || rest.length > 0) return undefined
    if (messageId === undefined) {
      if (method !== 'DELETE') return undefined
      return { status: 202, body: { cancelled: dispatcher.cancel(matchingMessages(query)) } }
    }
    if (method === 'GET') {
      const message = store.message(messageId)
      if (!message) throw new ApiError(404, `message ${messageId} not found`)
      return { status: 200, body: presentMessage(message.spec, message.body) }
    }
    if (method !== 'DELETE') return undefined
    const cancelled = dispatcher.cancel([messageId])
    if (cancelled === 0) throw new ApiError(404, `message ${messageId} not found`)
    return { status: 202, body: { cancelled } }
  }

  const matchingMessages = (query: URLSearchParams): string[] => {
    const ids = multiValue(query, 'messageIds')
    if (ids.length > 0) return ids
    const matches = parseFilter(query)
    return [...dispatcher.pending()]
      .filter(({ spec }) => matches(filterableMessage(spec)))
      .map(({ spec }) => spec.messageId)
  }

  const deadLetters: Route = ({ method, segments, query }) => {
    const [collection, first, second, ...rest] = segments
    if (collection !== 'dlq' || rest.length > 0) return undefined
    if (method === 'POST' && first === 'retry') {
      if (second !== undefined) return { status: 201, body: retry([getDeadLetter(second)])[0] }
      const { items, cursor } = listDeadLetters(query, true)
      return { status: 201, body: { responses: retry(items), cursor } }
    }
    if (second !== undefined) return undefined
    if (method === 'GET' && first === undefined) {
      const { items, cursor } = listDeadLetters(query, false)
      return { status: 200, body: { messages: items.map(presentDeadLetter), cursor } }
    }
    if (method === 'GET' && first !== undefined) {
      return { status: 200, body: presentDeadLetter(getDeadLetter(first)) }
    }
    if (method !== 'DELETE') return undefined
    if (first !== undefined) {
      store.removeDeadLetter(getDeadLetter(first).dlqId)
      return { status: 200, body: { deleted: 1 } }
    }
    const { items, cursor } = listDeadLetters(query, false)
    store.transaction(() => {
      for (const letter of items) store.removeDeadLetter(letter.dlqId)
    })
    return { status: 200, body: { deleted: items.length, cursor } }
  }

  const getDeadLetter = (dlqId: string): DeadLetter => {
    const letter = store.deadLetter(dlqId)
    if (!letter) throw new ApiError(404, `dlq message ${dlqId} not found`)
    return letter
  }

  const listDeadLetters = (query: URLSearchParams, mustExist: boolean): Page<DeadLetter> => {
    const ids = multiValue(query, 'dlqIds')
    if (ids.length > 0) {
      const items = ids.flatMap((dlqId) => store.deadLetter(dlqId) ?? [])
      if (mustExist && items.length === 0) throw new ApiError(404, 'dlq messages not found')
      return { items }
    }
    const matches = parseFilter(query)
    return paginate(query, deadLettersBefore, (letter) => matches(filterableDeadLetter(letter)))
  }

  function* deadLettersBefore(beforeSeq: number): Iterable<{ seq: number; item: DeadLetter }> {
    for (const item of store.deadLetters(beforeSeq)) yield { seq: item.seq, item }
  }

  /** Each becomes a new message, without deduplication, and leaves the list. */
  const retry = (letters: DeadLetter[]): { messageId: string }[] => {
    const nowMs = Math.floor(clock.now())
    const drafts = letters.map(
      (letter): MessageDraft => ({
        body: letter.body,
        spec: { ...letter.spec, messageId: newId('msg'), createdAtMs: nowMs, notBeforeMs: nowMs },
      }),
    )
    for (const { spec } of letters) if (spec.queueName !== undefined) publisher.ensureQueue(spec.queueName)
    const accepted = dispatcher.accept(drafts, () => {
      for (const letter of letters) store.removeDeadLetter(letter.dlqId)
    })
    return accepted.map(({ messageId }) => ({ messageId }))
  }

  const logs: Route = ({ method, segments, query }) => {
    const [collection, ...rest] = segments
    if (method !== 'GET' || rest.length > 0) return undefined
    if (collection !== 'events' && collection !== 'logs') return undefined
    const matches = parseFilter(query)
    const { items, cursor } = paginate(query, logsBefore, (entry) => matches(filterableLog(entry)))
    // The older path calls them events, the newer logs.
    return { status: 200, body: { [collection]: items, cursor } }
  }

  function* logsBefore(beforeSeq: number) {
    for (const { seq, entry } of store.logs(beforeSeq)) yield { seq, item: entry }
  }

  return [publish, batch, messages, deadLetters, logs]
}

function answerPublish(
  publisher: Publisher,
  request: ApiRequest,
  prefix: string,
  queueName: string | undefined,
): ApiAnswer {
  const { headers, body, callerIp } = request
  const destination = request.rawPath.slice(prefix.length)
  if (headers['upstash-cron'] !== undefined) {
    throw new ApiError(400, 'Upstash-Cron belongs to /v2/schedules/{destination}')
  }
  const [answer] = publisher.publish([{ destination, headers, body, callerIp, queueName }])
  return { status: isDuplicate(answer) ? 202 : 200, body: answer }
}

function isDuplicate(answer: PublishAnswer | undefined): boolean {
  return answer !== undefined && !Array.isArray(answer) && answer.deduplicated === true
}

function lowerCaseNames(headers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
}

/**
 * Reads a JSON body.
 * @throws ApiError 400 when it is no JSON, or not of this form.
 */
export function readJson<T>(schema: z.ZodType<T>, body: Buffer): T {
  let value: unknown
  try {
    value = JSON.parse(body.toString())
  } catch {
    throw new ApiError(400, 'invalid body: not JSON')
  }
  const parsed = schema.safeParse(value)
  if (!parsed.success) throw new ApiError(400, `invalid body: ${z.prettifyError(parsed.error)}`)
  return parsed.data
}
