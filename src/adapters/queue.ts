import { Client } from '@upstash/qstash'
import { AppError } from '../errors.ts'
import type { Queue, QueueMessage } from '../ports.ts'
import { within } from '../resilience/timeout.ts'

export interface QueueAccess {
  url: string
  token: string
  timeoutMs?: number
}

export interface QueueOptions extends QueueAccess {
  /** The address that the messages come back to. */
  callbacksUrl: string
}

/** The vendor's client, on exactly this server: no retries, no telemetry. */
export function queueClient({ url, token }: QueueAccess): Client {
  return new Client({ baseUrl: url, token, retry: false, enableTelemetry: false })
}

/**
 * Waits up to 4 s, 16 s, 64 s …: far less than the service's own 12 s to 6 h, since a newer plan replaces old work.
 * Each message has a share of that of its own, so that what failed together does not come again together.
 */
const MOST_FIRST_DELAY_MS = 4_000
const DEFAULT_RETRIES = 5
/** Most messages in one call. */
const BATCH_SIZE = 100

/** Publishes messages that come back to `/callbacks/<topic>`, signed. */
export function createQueue(options: QueueOptions): Queue {
  const client = queueClient(options)
  return {
    async publish(messages) {
      for (let from = 0; from < messages.length; from += BATCH_SIZE) {
        const batch = messages.slice(from, from + BATCH_SIZE)
        try {
          await within(
            options.timeoutMs ?? 10_000,
            client.batchJSON(batch.map((message) => toRequest(options.callbacksUrl, message))),
          )
        } catch (error) {
          throw new AppError('unavailable', 'Background work cannot be queued at the moment.', {
            cause: error,
          })
        }
      }
    },
  }
}

function toRequest(callbacksUrl: string, message: QueueMessage) {
  return {
    url: `${callbacksUrl}/callbacks/${message.topic}`,
    body: message.body,
    retries: message.retries ?? DEFAULT_RETRIES,
    retryDelay: `pow(4, retried) * ${Math.ceil(MOST_FIRST_DELAY_MS * Math.random())}`,
    ...(message.delaySeconds === undefined ? {} : { delay: Math.max(0, Math.ceil(message.delaySeconds)) }),
    ...(message.deduplicationId === undefined ? {} : { deduplicationId: message.deduplicationId }),
    ...(message.flow === undefined
      ? {}
      : { flowControl: { key: message.flow.key, parallelism: message.flow.parallelism } }),
  }
}
