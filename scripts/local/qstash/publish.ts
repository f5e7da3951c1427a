import { createHash } from 'node:crypto'
import { ApiError } from './api-error.ts'
import type { Accepted, Dispatcher } from './dispatcher.ts'
import { newId } from './ids.ts'
import { checkDelay, isHttpUrl, parseMessageOptions, type RequestHeaders } from './publish-options.ts'
import type { SettingsStore } from './settings-store.ts'
import type { Clock, Limits, MessageDraft, MessageOptions, UrlGroup } from './types.ts'

/** What somebody wants delivered. */
export interface PublishRequest {
  /** A URL, or the name of a URL group. */
  destination: string
  headers: RequestHeaders
  body: Buffer
  callerIp: string
  queueName?: string | undefined
}

/** The answer to one request: of a URL, or of each endpoint of a URL group. */
export type PublishAnswer = Omit<Accepted, 'url'> | Accepted[]

/** Turns requests into messages. */
export class Publisher {
  private readonly dispatcher: Dispatcher
  private readonly settings: SettingsStore
  private readonly clock: Clock
  private readonly limits: Limits
  private today = 0
  private acceptedToday = 0

  constructor(options: { dispatcher: Dispatcher; settings: SettingsStore; clock: Clock; limits: Limits }) {
    this.dispatcher = options.dispatcher
    this.settings = options.settings
    this.clock = options.clock
    this.limits = options.limits
  }

  /**
   * Accepts all requests or none.
   * @throws ApiError 400 or 404 for a destination or header that is wrong, 412 beyond a limit, 429
   *   beyond the day's messages.
   */
  publish(requests: PublishRequest[]): PublishAnswer[] {
    const groups = requests.map((request) => {
      const options = parseMessageOptions(request.headers, this.limits)
      return { request, drafts: this.drafts({ ...request, options }) }
    })
    const drafts = groups.flatMap((group) => group.drafts)
    this.charge(drafts.length)
    for (const { request } of groups) if (request.queueName !== undefined) this.ensureQueue(request.queueName)
    const accepted = this.dispatcher.accept(drafts)
    let next = 0
    return groups.map(({ request, drafts: own }) => {
      const answers = accepted.slice(next, next + own.length)
      next += own.length
      const [first] = answers
      if (!isHttpUrl(request.destination) || !first) return answers
      const { url: _url, ...answer } = first
      return answer
    })
  }

  /**
   * Makes the messages for a destination: one, or one for each endpoint of a URL group.
   * @throws ApiError 400, 404, 412
   */
  drafts(input: {
    destination: string
    options: MessageOptions
    body: Buffer
    callerIp: string
    queueName?: string | undefined
    scheduleId?: string | undefined
  }): MessageDraft[] {
    const { destination, options, body } = input
    if (body.length > this.limits.maxMessageBytes) {
      throw new ApiError(412, `quota maxMessageSize exceeded. limit=${this.limits.maxMessageBytes}`)
    }
    const group = this.resolve(destination)
    const nowMs = Math.floor(this.clock.now())
    const notBeforeMs = Math.max(nowMs, options.notBeforeMs ?? nowMs + options.delayMs)
    checkDelay(notBeforeMs - nowMs, this.limits)
    const endpoints = group?.endpoints ?? [{ url: destination, name: undefined }]
    return endpoints.map((endpoint) => ({
      body,
      deduplicationKey: deduplicationKey(endpoint.url, group?.name, options, body),
      spec: {
        messageId: newId('msg'),
        url: endpoint.url,
        method: options.method,
        header: options.header,
        maxRetries: options.maxRetries,
        retryDelayExpression: options.retryDelayExpression,
        timeoutMs: options.timeoutMs,
        callback: options.callback,
        failureCallback: options.failureCallback,
        flowControl: options.flowControl,
        labels: options.labels,
        createdAtMs: nowMs,
        notBeforeMs,
        callerIp: input.callerIp,
        queueName: input.queueName,
        scheduleId: input.scheduleId,
        topicName: group?.name,
        endpointName: endpoint.name,
      },
    }))
  }

  /**
   * Finds out what a destination is.
   * @returns the URL group, or `undefined` for a URL
   * @throws ApiError 400 for what is neither, 404 for a group that is not there.
   */
  resolve(destination: string): UrlGroup | undefined {
    if (isHttpUrl(destination)) return undefined
    const group = this.settings.urlGroup(destination)
    if (group) return group
    if (/^[A-Za-z0-9_-]+$/.test(destination)) {
      throw new ApiError(404, `url group ${destination} not found`)
    }
    throw new ApiError(
      400,
      'invalid destination url: endpoint has invalid scheme, add http:// or https:// in front of it',
    )
  }

  /** Makes a queue that is used for the first time. */
  ensureQueue(name: string): void {
    if (this.settings.queue(name)) return
    const nowMs = this.clock.now()
    const queue = { name, parallelism: 1, paused: false, createdAtMs: nowMs, updatedAtMs: nowMs }
    this.settings.saveQueue(queue)
    this.dispatcher.queues.set(name, queue)
  }

  private charge(messages: number): void {
    const dayMs = 86_400_000
    const nowMs = this.clock.now()
    const today = Math.floor(nowMs / dayMs)
    if (today !== this.today) {
      this.today = today
      this.acceptedToday = 0
    }
    const limit = this.limits.messagesPerDay
    if (this.acceptedToday + messages > limit) {
      throw new ApiError(429, 'Exceeded daily rate limit', {
        'RateLimit-Limit': String(limit),
        'RateLimit-Remaining': String(limit - this.acceptedToday),
        'RateLimit-Reset': String((today + 1) * (dayMs / 1000)),
      })
    }
    this.acceptedToday += messages
  }
}

/** Each endpoint of a URL group has keys of its own: one id must reach them all. */
function deduplicationKey(
  url: string,
  group: string | undefined,
  options: MessageOptions,
  body: Buffer,
): string | undefined {
  const { deduplicationId } = options
  if (deduplicationId !== undefined) {
    return group === undefined ? `id:${deduplicationId}` : `id:${deduplicationId}:${group}:${url}`
  }
  if (!options.contentBasedDeduplication) return undefined
  const headers = Object.entries(options.header).sort(([a], [b]) => (a < b ? -1 : 1))
  const hash = createHash('sha256')
    .update(JSON.stringify([group, url, headers]))
    .update(body)
    .digest('hex')
  return `content:${hash}`
}
