import { isUtf8 } from 'node:buffer'
import type { Filterable } from './filters.ts'
import type { QueueBoard } from './queues.ts'
import type {
  DeadLetter,
  FlowControlSpec,
  LogEntry,
  MessageSpec,
  StoredQueue,
  StoredSchedule,
  UrlGroup,
} from './types.ts'

/** A message as `/v2/messages/{id}` shows it. */
export function presentMessage(spec: MessageSpec, body: Buffer) {
  return {
    messageId: spec.messageId,
    url: spec.url,
    topicName: spec.topicName,
    endpointName: spec.endpointName,
    method: spec.method,
    header: spec.header,
    ...presentBody(body, 'body', 'bodyBase64'),
    maxRetries: spec.maxRetries,
    retryDelayExpression: spec.retryDelayExpression,
    notBefore: spec.notBeforeMs,
    createdAt: spec.createdAtMs,
    callback: spec.callback?.url,
    failureCallback: spec.failureCallback?.url,
    queueName: spec.queueName,
    scheduleId: spec.scheduleId,
    callerIp: spec.callerIp,
    callerIP: spec.callerIp,
    ...presentFlowControl(spec.flowControl),
    ...presentLabels(spec.labels),
  }
}

/** A dead letter as `/v2/dlq` shows it. */
export function presentDeadLetter(letter: DeadLetter) {
  const { response } = letter
  const answered = response.status > 0
  const body = answered ? response.body : Buffer.from(response.error ?? '')
  return {
    ...presentMessage(letter.spec, letter.body),
    dlqId: letter.dlqId,
    responseStatus: answered ? response.status : undefined,
    responseHeader: answered ? response.header : undefined,
    ...presentBody(body, 'responseBody', 'responseBodyBase64'),
  }
}

export function presentSchedule({ spec, body, ...schedule }: StoredSchedule) {
  const { options } = spec
  return {
    scheduleId: spec.scheduleId,
    cron: spec.cron,
    createdAt: spec.createdAtMs,
    destination: spec.destination,
    method: options.method,
    header: options.header,
    ...presentBody(body, 'body', 'bodyBase64'),
    retries: options.maxRetries,
    retryDelayExpression: options.retryDelayExpression,
    delay: options.delayMs > 0 ? options.delayMs / 1000 : undefined,
    callback: options.callback?.url,
    failureCallback: options.failureCallback?.url,
    callerIp: spec.callerIp,
    callerIP: spec.callerIp,
    isPaused: schedule.isPaused,
    queueName: spec.queueName,
    ...presentFlowControl(options.flowControl),
    ...presentLabels(options.labels),
    lastScheduleTime: schedule.lastAtMs ?? undefined,
    nextScheduleTime: schedule.nextAtMs,
    lastScheduleStates: schedule.lastStates,
  }
}

export function presentQueue(queue: StoredQueue, board: QueueBoard) {
  return {
    name: queue.name,
    createdAt: Math.floor(queue.createdAtMs),
    updatedAt: Math.floor(queue.updatedAtMs),
    parallelism: queue.parallelism,
    paused: queue.paused,
    lag: board.size(queue.name),
  }
}

export function presentUrlGroup(group: UrlGroup) {
  return {
    name: group.name,
    createdAt: Math.floor(group.createdAtMs),
    updatedAt: Math.floor(group.updatedAtMs),
    endpoints: group.endpoints,
  }
}

export function filterableMessage(spec: MessageSpec): Filterable {
  return { ...spec, flowControlKey: spec.flowControl?.key, atMs: spec.createdAtMs }
}

export function filterableDeadLetter(letter: DeadLetter): Filterable {
  return {
    ...filterableMessage(letter.spec),
    atMs: letter.failedAtMs,
    responseStatus: letter.response.status > 0 ? letter.response.status : undefined,
  }
}

export function filterableLog(entry: LogEntry): Filterable {
  return { ...entry, atMs: entry.time }
}

/** Text is shown as it is, other content as base64, under names of their own. */
function presentBody(body: Buffer, textName: string, base64Name: string): Record<string, string> {
  if (body.length === 0) return {}
  return isUtf8(body) ? { [textName]: body.toString() } : { [base64Name]: body.toString('base64') }
}

function presentFlowControl(flowControl: FlowControlSpec | undefined) {
  if (!flowControl) return {}
  const { key, parallelism, rate, periodSeconds } = flowControl
  return { flowControlKey: key, parallelism, rate, period: rate === undefined ? undefined : periodSeconds }
}

function presentLabels(labels: string[]) {
  return labels.length === 0 ? {} : { label: labels[0], labels }
}
