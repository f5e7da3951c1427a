import { describe, expect, it } from 'vitest'
import { aMoment, gate, ManualClock, silenceClient, startDestination, startLocal } from './test-support.ts'

const indexes = (count: number) => Array.from({ length: count }, (_, index) => index)

describe('queues', () => {
  it('deliver in order, each message only when the one before is done with, retries included', async () => {
    const destination = await startDestination(({ path, headers }) => ({
      status: path === '/1' && headers['upstash-retried'] === '0' ? 500 : 200,
    }))
    const { qstash, client } = await startLocal({ timeScale: 0.001 })
    const queue = client.queue({ queueName: 'ordered' })
    for (const n of indexes(6)) await queue.enqueueJSON({ url: `${destination.url}/${n}`, body: n })
    await qstash.idle()
    expect(destination.deliveries.map(({ path }) => path)).toEqual(['/0', '/1', '/1', '/2', '/3', '/4', '/5'])
    expect(destination.maxOpen).toBe(1)
    expect(await queue.get()).toMatchObject({ name: 'ordered', parallelism: 1, paused: false, lag: 0 })
  })

  it('wait for the callbacks of a message, too', async () => {
    const order: string[] = []
    const destination = await startDestination(({ path }) => {
      order.push(path)
      return {}
    })
    const { qstash, client } = await startLocal()
    const queue = client.queue({ queueName: 'with-callbacks' })
    for (const n of indexes(3)) {
      await queue.enqueueJSON({
        url: `${destination.url}/${n}`,
        callback: `${destination.url}/callback-${n}`,
      })
    }
    await qstash.idle()
    expect(order).toEqual(['/0', '/callback-0', '/1', '/callback-1', '/2', '/callback-2'])
  })

  it('deliver as many at once as their parallelism, and go on after a failure', async () => {
    const held = gate()
    const destination = await startDestination(({ path }) => ({
      after: held.opened,
      status: path === '/0' ? 400 : 200,
    }))
    const { qstash, client } = await startLocal()
    const queue = client.queue({ queueName: 'wide' })
    await queue.upsert({ parallelism: 3 })
    for (const n of indexes(8)) await queue.enqueue({ url: `${destination.url}/${n}`, retries: 0 })
    await destination.received(3)
    await aMoment()
    expect(destination.open).toBe(3)
    expect((await queue.get()).lag).toBe(8)
    held.open()
    await qstash.idle()
    expect(destination.deliveries).toHaveLength(8)
    expect(destination.maxOpen).toBe(3)
    expect((await client.dlq.listMessages({ filter: { queueName: 'wide' } })).messages).toHaveLength(1)
  })

  it('hold everything while paused, and can be listed and deleted', async () => {
    silenceClient()
    const destination = await startDestination()
    const { qstash, client } = await startLocal()
    const queue = client.queue({ queueName: 'paused' })
    await queue.upsert({ parallelism: 1, paused: true })
    await queue.enqueue({ url: `${destination.url}/1` })
    await queue.enqueue({ url: `${destination.url}/2` })
    await qstash.idle()
    await aMoment()
    expect(destination.deliveries).toEqual([])
    await queue.resume()
    await qstash.idle()
    expect(destination.deliveries.map(({ path }) => path)).toEqual(['/1', '/2'])

    await queue.pause()
    await queue.enqueue({ url: `${destination.url}/3` })
    expect(await queue.list()).toMatchObject([{ name: 'paused', paused: true, lag: 1 }])
    await queue.delete()
    await expect(queue.get()).rejects.toMatchObject({ status: 404 })
    await queue.enqueue({ url: `${destination.url}/4` })
    await qstash.idle()
    expect(destination.deliveries.map(({ path }) => path)).toEqual(['/1', '/2', '/4'])
  })

  it('go on to the next message when the first is cancelled', async () => {
    const destination = await startDestination()
    const { qstash, client } = await startLocal()
    const queue = client.queue({ queueName: 'cancelled' })
    await queue.upsert({ paused: true })
    const first = await queue.enqueue({ url: `${destination.url}/1` })
    const second = await queue.enqueue({ url: `${destination.url}/2` })
    await queue.enqueue({ url: `${destination.url}/3` })
    expect(await client.messages.cancel([first.messageId, second.messageId])).toEqual({ cancelled: 2 })
    await queue.resume()
    await qstash.idle()
    expect(destination.deliveries.map(({ path }) => path)).toEqual(['/3'])
  })

  it('have names of certain characters only', async () => {
    silenceClient()
    const { client } = await startLocal()
    const refused = client.queue({ queueName: 'a b' }).enqueue({ url: 'http://127.0.0.1:9' })
    await expect(refused).rejects.toMatchObject({ status: 400 })
  })
})

describe('flow control', () => {
  it('delivers no more at once than the parallelism of a key, while others go on', async () => {
    const held = gate()
    const destination = await startDestination(({ path }) => (path === '/free' ? {} : { after: held.opened }))
    const { qstash, client } = await startLocal()
    const flowControl = { key: 'bluesky', parallelism: 2 }
    await client.batch(indexes(7).map((n) => ({ url: `${destination.url}/${n}`, flowControl })))
    await client.publish({ url: `${destination.url}/free` })
    await destination.received(3)
    await aMoment()
    expect(destination.deliveries.map(({ path }) => path).sort()).toEqual(['/0', '/1', '/free'])
    expect(await client.flowControl.get('bluesky')).toMatchObject({
      flowControlKey: 'bluesky',
      parallelismMax: 2,
      parallelismCount: 2,
      waitListSize: 5,
      rateMax: 0,
    })
    expect(await client.flowControl.getGlobalParallelism()).toMatchObject({ parallelismCount: 2 })
    held.open()
    await qstash.idle()
    expect(destination.deliveries).toHaveLength(8)
    const limited = destination.deliveries.map(({ path }) => path).filter((path) => path !== '/free')
    expect(limited).toEqual(indexes(7).map((n) => `/${n}`))
    expect(destination.maxOpen).toBe(3)
  })

  it('begins no more in a period than the rate of a key', async () => {
    const clock = new ManualClock('2026-11-22T10:00:00Z')
    const destination = await startDestination()
    const { qstash, client } = await startLocal({ clock })
    const flowControl = { key: 'youtube', rate: 3, period: '1m' } as const
    await client.batch(indexes(7).map((n) => ({ url: `${destination.url}/${n}`, flowControl })))
    await destination.received(3)
    clock.advance(59_999)
    await aMoment()
    expect(destination.deliveries).toHaveLength(3)
    expect(await client.flowControl.get('youtube')).toMatchObject({
      rateMax: 3,
      rateCount: 3,
      ratePeriod: 60,
      waitListSize: 4,
    })
    clock.advance(1)
    await destination.received(6)
    await aMoment()
    expect(destination.deliveries).toHaveLength(6)
    await client.flowControl.resetRate('youtube')
    await qstash.idle()
    expect(destination.deliveries.map(({ path }) => path)).toEqual(indexes(7).map((n) => `/${n}`))
  })

  it('counts retries against the rate', async () => {
    const clock = new ManualClock('2026-11-22T10:00:00Z')
    const destination = await startDestination(() => ({ status: 500 }))
    const { qstash, client } = await startLocal({ clock })
    await client.publish({
      url: destination.url,
      retries: 1,
      retryDelay: '1',
      flowControl: { key: 'one', rate: 1, period: 10 },
    })
    await destination.received(1)
    await aMoment()
    clock.advance(9999)
    await aMoment()
    expect(destination.deliveries).toHaveLength(1)
    clock.advance(1)
    await qstash.idle()
    expect(destination.deliveries).toHaveLength(2)
  })

  it('keeps what a period has used across a restart', async () => {
    const clock = new ManualClock('2026-11-22T10:00:00Z')
    const destination = await startDestination()
    const { qstash, client, dataFile } = await startLocal({ clock })
    const flowControl = { key: 'kept', rate: 2, period: '1h' } as const
    await client.batch(indexes(3).map((n) => ({ url: `${destination.url}/${n}`, flowControl })))
    await destination.received(2)
    await aMoment()
    await qstash.stop()
    const again = await startLocal({ clock, dataFile })
    await aMoment()
    expect(destination.deliveries).toHaveLength(2)
    clock.advance(3_600_000)
    await again.qstash.idle()
    expect(destination.deliveries).toHaveLength(3)
  })

  it('follows the newest message’s limits, unless they are pinned', async () => {
    const destination = await startDestination()
    const { client } = await startLocal()
    const publish = (parallelism: number) =>
      client.publish({ url: destination.url, delay: 60, flowControl: { key: 'k', parallelism } })
    const limits = async () => {
      const { parallelismMax, isPinnedParallelism } = await client.flowControl.get('k')
      return [parallelismMax, isPinnedParallelism]
    }
    await publish(2)
    await publish(5)
    expect(await limits()).toEqual([5, false])
    await client.flowControl.pin('k', { parallelism: 1 })
    await publish(7)
    expect(await limits()).toEqual([1, true])
    await client.flowControl.unpin('k', { parallelism: true })
    await publish(9)
    expect(await limits()).toEqual([9, false])
  })

  it('holds a paused key', async () => {
    silenceClient()
    const destination = await startDestination()
    const { qstash, client } = await startLocal()
    await expect(client.flowControl.get('unknown')).rejects.toMatchObject({ status: 404 })
    await client.flowControl.pause('paused')
    await client.publish({ url: destination.url, flowControl: { key: 'paused', parallelism: 1 } })
    await qstash.idle()
    await aMoment()
    expect(destination.deliveries).toEqual([])
    expect(await client.flowControl.get('paused')).toMatchObject({ isPaused: true, waitListSize: 1 })
    await client.flowControl.resume('paused')
    await qstash.idle()
    expect(destination.deliveries).toHaveLength(1)
  })
})
