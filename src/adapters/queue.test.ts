import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { listen } from '../../scripts/local/lib/http-server.ts'
import {
  aMoment,
  CURRENT_KEY,
  type Delivery,
  type Destination,
  gate,
  ManualClock,
  NEXT_KEY,
  type Reply,
  silenceClient,
  startDestination,
  startLocal,
  TOKEN,
} from '../../scripts/local/qstash/test-support.ts'
import { AppError } from '../errors.ts'
import { verdictOf } from '../jobs/verdict.ts'
import type { QueueMessage } from '../ports.ts'
import { createQueue } from './queue.ts'
import { createSignatureCheck } from './signature.ts'

const verify = createSignatureCheck({ current: CURRENT_KEY, next: NEXT_KEY })

/** A queue whose messages come back to a destination, through a QStash of the test's own. */
async function start(options: { reply?: (delivery: Delivery) => Reply; clock?: ManualClock } = {}) {
  const destination = await startDestination(options.reply)
  const { qstash } = await startLocal(options.clock ? { clock: options.clock } : {})
  const queue = createQueue({ url: qstash.url, token: TOKEN, callbacksUrl: destination.url })
  return { destination, qstash, queue }
}

/** The delivery that came as the n-th, from 0. */
async function deliveryOf(destination: Destination, n: number): Promise<Delivery> {
  const delivery = (await destination.received(n + 1))[n]
  if (delivery === undefined) throw new Error('nothing was delivered')
  return delivery
}

const signatureOf = (delivery: Delivery) => String(delivery.headers['upstash-signature'])

/** What a callback answers for this failure, as the queue is given it. */
async function replyOf(error: unknown): Promise<Reply> {
  const answer = verdictOf(error)
  return { status: answer.status, headers: Object.fromEntries(answer.headers), body: await answer.text() }
}

const message = (more: Partial<QueueMessage> = {}): QueueMessage => ({
  topic: 'sync/plan',
  body: {},
  ...more,
})

describe('a message', () => {
  it('comes back to its topic’s address, as JSON, and signed so that it verifies', async () => {
    const { destination, queue } = await start()
    const body = { at: '2026-11-22T10:00:00Z', texts: ['Ünïcode ✓ 🌊'], n: 1.5, none: null }
    await queue.publish([message({ topic: 'imports/process', body })])
    const delivery = await deliveryOf(destination, 0)
    expect(delivery).toMatchObject({ method: 'POST', path: '/callbacks/imports/process' })
    expect(delivery.headers['content-type']).toContain('application/json')
    expect(JSON.parse(delivery.body)).toEqual(body)
    const url = `${destination.url}/callbacks/imports/process`
    expect(await verify({ signature: signatureOf(delivery), url, body: delivery.body })).toBe(true)
  })

  it('verifies also when the keys have been changed since', async () => {
    const { destination, qstash, queue } = await start()
    qstash.rotateKeys()
    await queue.publish([message()])
    const delivery = await deliveryOf(destination, 0)
    const call = { signature: signatureOf(delivery), body: delivery.body }
    expect(await verify({ ...call, url: `${destination.url}/callbacks/sync/plan` })).toBe(true)
    qstash.rotateKeys()
    await queue.publish([message()])
    const second = await deliveryOf(destination, 1)
    const later = { signature: signatureOf(second), body: second.body }
    expect(await verify({ ...later, url: `${destination.url}/callbacks/sync/plan` })).toBe(false)
  })

  it('is one of as many as there are, in however many calls', async () => {
    const { destination, qstash, queue } = await start()
    await queue.publish(Array.from({ length: 230 }, (_, n) => message({ body: { n } })))
    await qstash.idle()
    const numbers = destination.deliveries.map((delivery) => Number(JSON.parse(delivery.body).n))
    expect(numbers.sort((a, b) => a - b)).toEqual(Array.from({ length: 230 }, (_, n) => n))
    await queue.publish([])
  })

  it('is delivered once where another of the same id was published', async () => {
    const { destination, qstash, queue } = await start()
    const once = message({ deduplicationId: 'plan-1' })
    await queue.publish([once, once, message({ deduplicationId: 'plan-2' })])
    await queue.publish([once])
    await qstash.idle()
    expect(destination.deliveries).toHaveLength(2)
  })

  it('waits as long as it is told to, in whole seconds', async () => {
    const clock = new ManualClock('2026-11-22T10:00:00Z')
    const { destination, queue } = await start({ clock })
    await queue.publish([message({ delaySeconds: 29.2 }), message({ topic: 'now', delaySeconds: -5 })])
    expect((await destination.received(1)).map(({ path }) => path)).toEqual(['/callbacks/now'])
    clock.advance(29_999)
    await aMoment()
    expect(destination.deliveries).toHaveLength(1)
    clock.advance(1)
    expect((await destination.received(2)).map(({ path }) => path)).toContain('/callbacks/sync/plan')
  })

  it('takes its turn with others of its flow', async () => {
    const { opened, open } = gate()
    const { destination, qstash, queue } = await start({ reply: () => ({ after: opened }) })
    await queue.publish(
      Array.from({ length: 6 }, () => message({ flow: { key: 'mastodon', parallelism: 2 } })),
    )
    await destination.received(2)
    await aMoment()
    expect(destination.deliveries).toHaveLength(2)
    open()
    await qstash.idle()
    expect(destination.deliveries).toHaveLength(6)
    expect(destination.maxOpen).toBe(2)
  })
})

describe('a message that fails', () => {
  it('is tried again after its share of 4, 16, 64 … seconds, five times', async () => {
    const random = vi.spyOn(Math, 'random').mockReturnValue(0.5)
    onTestFinished(() => random.mockRestore())
    const clock = new ManualClock('2026-11-22T10:00:00Z')
    const reply = await replyOf(new Error('not understood'))
    const { destination, qstash, queue } = await start({ clock, reply: () => reply })
    await queue.publish([message()])
    await destination.received(1)
    let attempts = 1
    for (const waitMs of [2_000, 8_000, 32_000, 128_000, 512_000]) {
      await aMoment()
      clock.advance(waitMs - 1)
      await aMoment()
      expect(destination.deliveries).toHaveLength(attempts)
      clock.advance(1)
      attempts += 1
      await destination.received(attempts)
    }
    await qstash.idle()
    clock.advance(86_400_000)
    await aMoment()
    expect(destination.deliveries).toHaveLength(6)
  })

  it('is tried again when the callback says so, and no more often than the message allows', async () => {
    const clock = new ManualClock('2026-11-22T10:00:00Z')
    const reply = await replyOf(new AppError('platform_rate_limited', 'Later.', { retryAfterMs: 60_000 }))
    const { destination, qstash, queue } = await start({ clock, reply: () => reply })
    await queue.publish([message({ retries: 1 })])
    await destination.received(1)
    await aMoment()
    clock.advance(59_999)
    await aMoment()
    expect(destination.deliveries).toHaveLength(1)
    clock.advance(1)
    await destination.received(2)
    await qstash.idle()
    clock.advance(86_400_000)
    await aMoment()
    expect(destination.deliveries).toHaveLength(2)
  })

  it('is never tried again when the callback says that it never will succeed', async () => {
    const clock = new ManualClock('2026-11-22T10:00:00Z')
    const reply = await replyOf(new AppError('not_found', 'There is no such import.'))
    const { destination, qstash, queue } = await start({ clock, reply: () => reply })
    await queue.publish([message()])
    await destination.received(1)
    await qstash.idle()
    clock.advance(86_400_000)
    await aMoment()
    expect(destination.deliveries).toHaveLength(1)
  })
})

describe('a queue that does not take messages', () => {
  const failureOf = async (options: { url: string; token?: string; timeoutMs?: number }) => {
    silenceClient()
    const queue = createQueue({ token: TOKEN, callbacksUrl: 'http://127.0.0.1:1', ...options })
    return queue.publish([message()]).catch((error: unknown) => error)
  }

  it('makes work unavailable that has to be queued, for now', async () => {
    const error = await failureOf({ url: 'http://127.0.0.1:9' })
    expect(error).toBeInstanceOf(AppError)
    expect(error).toMatchObject({ code: 'unavailable', retryable: true })
  })

  it('does so too when it refuses the token, which is not told', async () => {
    const { qstash } = await startLocal()
    const error = await failureOf({ url: qstash.url, token: 'hunter2' })
    expect(error).toMatchObject({ code: 'unavailable' })
    expect(String(error)).not.toContain('hunter2')
  })

  it('does so too when it does not answer in time', async () => {
    const { opened, open } = gate()
    const server = await listen(async (_, res) => {
      await opened
      res.writeHead(200, { 'content-type': 'application/json' }).end('[]')
    })
    onTestFinished(async () => {
      open()
      // The client, which waits on, gets its answer.
      await aMoment()
      await server.close()
    })
    expect(await failureOf({ url: server.url, timeoutMs: 50 })).toMatchObject({ code: 'unavailable' })
  })
})
