import { ApiError } from './api-error.ts'
import { parseDurationMs } from './duration.ts'
import { parseRetryDelay, RetryDelayError } from './retry-delay.ts'
import type { CallbackSpec, FlowControlSpec, HeaderMap, Limits, MessageOptions } from './types.ts'

/** Header names in lower case, each with one value. */
export type RequestHeaders = Readonly<Record<string, string>>

const METHODS = new Set(['GET', 'POST', 'PUT', 'PATCH', 'DELETE'])
const DEFAULT_RETRIES = 3
const NAME = /^[A-Za-z0-9._-]+$/

/** Headers that belong to one connection, never to the message. */
const HOP_BY_HOP = new Set([
  'connection',
  'content-length',
  'host',
  'keep-alive',
  'transfer-encoding',
  'upgrade',
])

/**
 * Reads the `Upstash-*` headers of a publish, an item of a batch, a schedule or a callback.
 * @param inherited what a callback takes over from its source
 * @throws ApiError 400 for a header that cannot be understood, 412 for more than the limits allow.
 */
export function parseMessageOptions(
  headers: RequestHeaders,
  limits: Limits,
  inherited: { maxRetries?: number; retryDelayExpression?: string | undefined } = {},
): MessageOptions {
  const delayMs = readDelay(headers, limits)
  return {
    method: readMethod(headers),
    header: forwardedHeaders(headers),
    maxRetries: readRetries(headers, limits) ?? inherited.maxRetries ?? DEFAULT_RETRIES,
    retryDelayExpression: readRetryDelay(headers) ?? inherited.retryDelayExpression,
    timeoutMs: readTimeout(headers),
    callback: readCallback(headers, 'upstash-callback'),
    failureCallback: readCallback(headers, 'upstash-failure-callback'),
    flowControl: readFlowControl(headers),
    labels: readLabels(headers),
    delayMs,
    notBeforeMs: readNotBefore(headers),
    deduplicationId: readDeduplicationId(headers),
    contentBasedDeduplication: headers['upstash-content-based-deduplication'] === 'true',
  }
}

/**
 * Checks the name of a queue, a schedule or a URL group.
 * @throws ApiError 400 when it has other characters than letters, digits, `-`, `.` and `_`.
 */
export function checkName(kind: string, name: string): string {
  if (!NAME.test(name)) {
    throw new ApiError(
      400,
      `invalid ${kind}: it can only contain alphanumeric characters, hyphens, periods and underscores`,
    )
  }
  return name
}

/** `content-type` → `Content-Type`: the spelling in which QStash lists headers. */
export function canonicalHeaderName(name: string): string {
  return name.toLowerCase().replace(/(^|-)([a-z])/g, (_match, dash: string, letter: string) => {
    return dash + letter.toUpperCase()
  })
}

function readMethod(headers: RequestHeaders): string {
  const method = (headers['upstash-method'] ?? 'POST').toUpperCase()
  if (!METHODS.has(method)) throw new ApiError(400, `invalid Upstash-Method: ${method}`)
  return method
}

function forwardedHeaders(headers: RequestHeaders): HeaderMap {
  const forwarded: HeaderMap = {}
  const contentType = headers['content-type']
  if (contentType !== undefined) forwarded['Content-Type'] = [contentType]
  for (const [name, value] of Object.entries(headers)) {
    if (!name.startsWith('upstash-forward-')) continue
    const bare = name.slice('upstash-forward-'.length)
    if (bare !== '' && !HOP_BY_HOP.has(bare)) forwarded[canonicalHeaderName(bare)] = [value]
  }
  return forwarded
}

function readRetries(headers: RequestHeaders, limits: Limits): number | undefined {
  const text = headers['upstash-retries']
  if (text === undefined) return undefined
  if (!/^\d+$/.test(text)) throw new ApiError(400, `invalid Upstash-Retries: ${text}`)
  const retries = Number(text)
  if (retries > limits.maxRetries) {
    throw new ApiError(412, `quota maxRetries exceeded. limit=${limits.maxRetries}`)
  }
  return retries
}

function readRetryDelay(headers: RequestHeaders): string | undefined {
  const expression = headers['upstash-retry-delay']
  if (expression === undefined) return undefined
  try {
    parseRetryDelay(expression)
  } catch (error) {
    if (error instanceof RetryDelayError) {
      throw new ApiError(400, `invalid Upstash-Retry-Delay: ${error.message}`)
    }
    throw error
  }
  return expression
}

function readTimeout(headers: RequestHeaders): number | undefined {
  const text = headers['upstash-timeout']
  if (text === undefined) return undefined
  const timeoutMs = parseDurationMs(text)
  if (timeoutMs === null || timeoutMs <= 0) throw new ApiError(400, `invalid Upstash-Timeout: ${text}`)
  return timeoutMs
}

function readDelay(headers: RequestHeaders, limits: Limits): number {
  const text = headers['upstash-delay']
  if (text === undefined) return 0
  const delayMs = parseDurationMs(text)
  if (delayMs === null) throw new ApiError(400, `invalid Upstash-Delay: ${text}`)
  checkDelay(delayMs, limits)
  return delayMs
}

/** @throws ApiError 412 when a message would have to wait longer than the limits allow. */
export function checkDelay(delayMs: number, limits: Limits): void {
  if (delayMs > limits.maxDelayMs) {
    throw new ApiError(412, `quota maxDelay exceeded. limit=${limits.maxDelayMs / 1000}s`)
  }
}

function readNotBefore(headers: RequestHeaders): number | undefined {
  const text = headers['upstash-not-before']
  if (text === undefined) return undefined
  if (!/^\d+$/.test(text)) throw new ApiError(400, `invalid Upstash-Not-Before: ${text}`)
  return Number(text) * 1000
}

function readDeduplicationId(headers: RequestHeaders): string | undefined {
  const id = headers['upstash-deduplication-id']
  if (id?.includes(':')) throw new ApiError(400, "DeduplicationId cannot contain ':'")
  return id === '' ? undefined : id
}

function readLabels(headers: RequestHeaders): string[] {
  return (headers['upstash-label'] ?? '')
    .split(',')
    .map((label) => label.trim())
    .filter((label) => label !== '')
}

function readCallback(headers: RequestHeaders, prefix: string): CallbackSpec | undefined {
  const url = headers[prefix]
  if (url === undefined) return undefined
  if (!isHttpUrl(url)) {
    throw new ApiError(400, `invalid ${canonicalHeaderName(prefix)}: it must be a http:// or https:// URL`)
  }
  const own: Record<string, string> = { 'content-type': 'application/json' }
  for (const [name, value] of Object.entries(headers)) {
    if (name.startsWith(`${prefix}-`)) own[`upstash-${name.slice(prefix.length + 1)}`] = value
  }
  return { url, headers: own }
}

/** Whether QStash could call this address at all. */
export function isHttpUrl(url: string): boolean {
  return /^https?:\/\//i.test(url) && URL.canParse(url)
}

function readFlowControl(headers: RequestHeaders): FlowControlSpec | undefined {
  const key = headers['upstash-flow-control-key']
  const value = headers['upstash-flow-control-value']
  if (key === undefined && value === undefined) return undefined
  if (!key) throw new ApiError(400, 'Upstash-Flow-Control-Value needs an Upstash-Flow-Control-Key')
  const settings = new Map(
    (value ?? '').split(',').map((part) => {
      const [name = '', setting = ''] = part.split('=')
      return [name.trim().toLowerCase(), setting.trim()] as const
    }),
  )
  const parallelism = readCount(settings.get('parallelism'))
  const rate = readCount(settings.get('rate'))
  if (parallelism === undefined && rate === undefined) throw invalidFlowControl()
  return { key, parallelism, rate, periodSeconds: readPeriodSeconds(settings.get('period')) }
}

function readCount(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (!/^[1-9]\d*$/.test(text)) throw invalidFlowControl()
  return Number(text)
}

function readPeriodSeconds(text: string | undefined): number {
  if (text === undefined) return 1
  const periodMs = /^\d+$/.test(text) ? Number(text) * 1000 : parseDurationMs(text)
  if (periodMs === null || periodMs < 1000) throw invalidFlowControl()
  return periodMs / 1000
}

function invalidFlowControl(): ApiError {
  return new ApiError(
    400,
    'Upstash-Flow-Control-Value should be either rate=X or parallelism=Y, or both as comma-separated values',
  )
}
