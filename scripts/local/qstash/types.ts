/** Headers as QStash shows them: each name once, with every value it had. */
export type HeaderMap = Record<string, string[]>

export interface FlowControlSpec {
  key: string
  /** Deliveries under way at once; `undefined` is without limit. */
  parallelism?: number | undefined
  /** Deliveries begun in one period; `undefined` is without limit. */
  rate?: number | undefined
  periodSeconds: number
}

export interface CallbackSpec {
  url: string
  /** The `Upstash-Callback-*` headers under the names that they have on a message of its own. */
  headers: Record<string, string>
}

/** What the headers of a publish ask for. */
export interface MessageOptions {
  method: string
  header: HeaderMap
  maxRetries: number
  retryDelayExpression?: string | undefined
  timeoutMs?: number | undefined
  callback?: CallbackSpec | undefined
  failureCallback?: CallbackSpec | undefined
  flowControl?: FlowControlSpec | undefined
  labels: string[]
  delayMs: number
  /** Wins over `delayMs`. Milliseconds since 1970. */
  notBeforeMs?: number | undefined
  deduplicationId?: string | undefined
  contentBasedDeduplication: boolean
}

/** A message as it is stored; what changes between attempts is in `StoredMessage`. */
export interface MessageSpec {
  messageId: string
  url: string
  method: string
  header: HeaderMap
  maxRetries: number
  retryDelayExpression?: string | undefined
  timeoutMs?: number | undefined
  callback?: CallbackSpec | undefined
  failureCallback?: CallbackSpec | undefined
  flowControl?: FlowControlSpec | undefined
  labels: string[]
  createdAtMs: number
  notBeforeMs: number
  callerIp: string
  queueName?: string | undefined
  scheduleId?: string | undefined
  topicName?: string | undefined
  endpointName?: string | undefined
}

export interface StoredMessage {
  /** The order of acceptance. */
  seq: number
  /** The place in its queue; a callback shares that of its source, which keeps its turn until both are done. */
  position: number
  dueAtMs: number
  /** Attempts made so far, beyond the first. */
  retried: number
  /** Whether a first attempt has failed. */
  attempted: boolean
  spec: MessageSpec
  body: Buffer
}

/** A message that is to be stored. */
export interface MessageDraft {
  spec: MessageSpec
  body: Buffer
  deduplicationKey?: string | undefined
  /** `undefined`: at the end of its queue. */
  position?: number | undefined
}

/** The outcome of one HTTP call. */
export interface AttemptResult {
  /** 0 when there was no answer. */
  status: number
  header: HeaderMap
  body: Buffer
  /** Why there was no answer. */
  error?: string | undefined
}

export interface DeadLetter {
  dlqId: string
  seq: number
  failedAtMs: number
  retried: number
  spec: MessageSpec
  body: Buffer
  response: AttemptResult
}

export interface ScheduleSpec {
  scheduleId: string
  cron: string
  destination: string
  options: MessageOptions
  queueName?: string | undefined
  callerIp: string
  createdAtMs: number
}

export type ScheduledState = 'IN_PROGRESS' | 'SUCCESS' | 'FAIL'

export interface StoredSchedule {
  spec: ScheduleSpec
  body: Buffer
  isPaused: boolean
  lastAtMs: number | null
  nextAtMs: number
  /** The newest messages of this schedule, by their ids. */
  lastStates: Record<string, ScheduledState>
}

export interface UrlGroupEndpoint {
  url: string
  name?: string | undefined
}

export interface UrlGroup {
  name: string
  createdAtMs: number
  updatedAtMs: number
  endpoints: UrlGroupEndpoint[]
}

export interface StoredQueue {
  name: string
  parallelism: number
  paused: boolean
  createdAtMs: number
  updatedAtMs: number
}

/** Everything of a flow-control key that outlives the process. */
export interface FlowKeyState {
  /** 0 is without limit, here and in `rateMax`. */
  parallelismMax: number
  rateMax: number
  ratePeriodSeconds: number
  ratePeriodStartMs: number
  rateCount: number
  isPaused: boolean
  isPinnedParallelism: boolean
  isPinnedRate: boolean
}

export type LogState = 'CREATED' | 'ACTIVE' | 'DELIVERED' | 'ERROR' | 'RETRY' | 'FAILED' | 'CANCELED'

export interface LogEntry {
  time: number
  state: LogState
  messageId: string
  url: string
  method: string
  header: HeaderMap
  maxRetries: number
  callerIp: string
  labels: string[]
  label?: string | undefined
  error?: string | undefined
  nextDeliveryTime?: number | undefined
  responseStatus?: number | undefined
  /** Base64. */
  responseBody?: string | undefined
  topicName?: string | undefined
  endpointName?: string | undefined
  queueName?: string | undefined
  scheduleId?: string | undefined
  flowControlKey?: string | undefined
}

/** What a plan allows; beyond it QStash answers 412, or 429 for the day's messages. */
export interface Limits {
  maxRetries: number
  maxDelayMs: number
  maxMessageBytes: number
  /** Accepted messages per UTC day. */
  messagesPerDay: number
}

export interface Clock {
  /** Milliseconds since 1970. */
  now(): number
  /** Runs once after the delay, unless the returned function is called before. */
  setTimer(run: () => void, delayMs: number): () => void
}

export const systemClock: Clock = {
  now: () => Date.now(),
  setTimer: (run, delayMs) => {
    const timer = setTimeout(run, delayMs)
    return () => clearTimeout(timer)
  },
}
