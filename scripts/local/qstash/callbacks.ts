import { newId } from './ids.ts'
import { parseMessageOptions } from './publish-options.ts'
import type { AttemptResult, CallbackSpec, Limits, MessageDraft, StoredMessage } from './types.ts'

/**
 * Makes the message that tells a callback URL of an attempt's outcome. Its retries are those of the
 * source, unless `Upstash-Callback-Retries` said otherwise.
 * @param dlqId where the source ended up; only for failure callbacks
 */
export function callbackDraft(input: {
  callback: CallbackSpec
  source: StoredMessage
  result: AttemptResult
  dlqId?: string | undefined
  nowMs: number
  limits: Limits
}): MessageDraft {
  const { callback, source, result, nowMs } = input
  const { spec } = source
  const options = parseMessageOptions(callback.headers, input.limits, {
    maxRetries: spec.maxRetries,
    retryDelayExpression: spec.retryDelayExpression,
  })
  const body = {
    status: result.status,
    header: result.header,
    body: responseBody(result).toString('base64'),
    retried: source.retried,
    maxRetries: spec.maxRetries,
    dlqId: input.dlqId,
    sourceMessageId: spec.messageId,
    topicName: spec.topicName,
    endpointName: spec.endpointName,
    url: spec.url,
    method: spec.method,
    sourceHeader: spec.header,
    sourceBody: source.body.toString('base64'),
    notBefore: spec.notBeforeMs,
    createdAt: spec.createdAtMs,
    scheduleId: spec.scheduleId,
    callerIP: spec.callerIp,
  }
  return {
    // In a queue the source keeps its place until its callbacks are delivered as well.
    position: spec.queueName === undefined ? undefined : source.position,
    body: Buffer.from(JSON.stringify(body)),
    spec: {
      messageId: newId('msg'),
      url: callback.url,
      method: options.method,
      header: options.header,
      maxRetries: options.maxRetries,
      retryDelayExpression: options.retryDelayExpression,
      timeoutMs: options.timeoutMs,
      flowControl: options.flowControl,
      labels: options.labels,
      createdAtMs: nowMs,
      notBeforeMs: options.notBeforeMs ?? nowMs + options.delayMs,
      callerIp: spec.callerIp,
      queueName: spec.queueName,
    },
  }
}

/** Where there was no answer, its reason stands for it. */
export function responseBody(result: AttemptResult): Buffer {
  return result.status === 0 && result.error !== undefined ? Buffer.from(result.error) : result.body
}
