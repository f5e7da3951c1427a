import { describe, expect, it } from 'vitest'
import type { Mishap } from './disturbed-deliverer.ts'
import { type Delivery, startDestination, startLocal } from './test-support.ts'

const NOTHING: Mishap = { heldMs: 0, repeatedAfterMs: null, losesAnswer: false }

/** A queue whose first delivery of each path goes wrong as is said of that path. */
async function start(mishaps: Record<string, Partial<Mishap>>) {
  const destination = await startDestination()
  const { qstash, client } = await startLocal({ timeScale: 0.001 })
  const left = new Map(Object.entries(mishaps))
  qstash.disturb(({ url }) => {
    const path = new URL(url).pathname
    const mishap = left.get(path)
    left.delete(path)
    return mishap === undefined ? null : { ...NOTHING, ...mishap }
  })
  const publish = (...paths: string[]) =>
    client.batch(paths.map((path) => ({ url: destination.url + path, body: path })))
  return { destination, qstash, publish }
}

const pathsOf = (deliveries: Delivery[]) => deliveries.map(({ path }) => path)

describe('a queue that is disturbed', () => {
  it('lets a message be overtaken by those behind it', async () => {
    const { destination, qstash, publish } = await start({ '/first': { heldMs: 150 } })
    await publish('/first', '/second', '/third')
    await qstash.idle()
    expect(pathsOf(destination.deliveries).at(-1)).toBe('/first')
    expect(destination.deliveries).toHaveLength(3)
  })

  it('delivers a message once more, the same in everything, and is not idle before', async () => {
    const { destination, qstash, publish } = await start({ '/twice': { repeatedAfterMs: 150 } })
    await publish('/twice')
    await qstash.idle()
    const [first, second, ...others] = destination.deliveries
    expect(others).toEqual([])
    const idOf = (delivery: Delivery | undefined) => delivery?.headers['upstash-message-id']
    expect(second).toMatchObject({ path: '/twice', body: '/twice' })
    expect(idOf(second)).toBe(idOf(first))
    expect(second?.headers['upstash-retried']).toBe('0')
  })

  it('tries again where an answer was lost', async () => {
    const { destination, qstash, publish } = await start({ '/unanswered': { losesAnswer: true } })
    await publish('/unanswered')
    await qstash.idle()
    expect(destination.deliveries.map(({ headers }) => headers['upstash-retried'])).toEqual(['0', '1'])
  })

  it('stops at once, whatever is still to come', async () => {
    const { destination, qstash, publish } = await start({
      '/late': { heldMs: 60_000 },
      '/again': { repeatedAfterMs: 60_000 },
    })
    await publish('/late', '/again')
    await destination.received(1)
    await qstash.stop()
    expect(pathsOf(destination.deliveries)).toEqual(['/again'])
  })
})
