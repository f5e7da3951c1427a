import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { Client } from '@upstash/qstash'
import { describe, expect, it, onTestFinished } from 'vitest'
import {
  aMoment,
  CURRENT_KEY,
  gate,
  NEXT_KEY,
  startDestination,
  startLocal,
  TOKEN,
  temporaryDataFile,
} from './test-support.ts'

/** Runs a QStash in a process of its own, so that it can be killed. */
async function spawnQStash(dataFile: string): Promise<{ child: ChildProcess; client: Client }> {
  const options = { token: TOKEN, currentSigningKey: CURRENT_KEY, nextSigningKey: NEXT_KEY, dataFile }
  const program = `
    import { startQStash } from ${JSON.stringify(new URL('./index.ts', import.meta.url).href)}
    console.log((await startQStash(${JSON.stringify(options)})).url)
  `
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(() => {
    child.kill('SIGKILL')
  })
  const [baseUrl] = await once(createInterface({ input: child.stdout }), 'line')
  return { child, client: new Client({ baseUrl, token: TOKEN, retry: false, devMode: false }) }
}

describe('a QStash that is killed', () => {
  it('loses nothing that it has accepted', async () => {
    const dataFile = temporaryDataFile()
    const held = gate()
    let dying = true
    let queuedOpen = 0
    let maxQueuedOpen = 0
    const destination = await startDestination(({ path }) => {
      if (!dying && path.startsWith('/queued')) {
        queuedOpen += 1
        maxQueuedOpen = Math.max(maxQueuedOpen, queuedOpen)
        const after = aMoment().then(() => {
          queuedOpen -= 1
        })
        return { after }
      }
      if (!dying) return {}
      if (path === '/dead') return { status: 489, headers: { 'Upstash-NonRetryable-Error': 'true' } }
      if (path === '/failing') return { status: 500, headers: { 'Retry-After': '1' } }
      return { after: held.opened }
    })
    const { child, client } = await spawnQStash(dataFile)
    const at = (path: string) => `${destination.url}/${path}`
    const range = (name: string, count: number) => Array.from({ length: count }, (_, n) => `${name}-${n}`)

    await client.publish({ url: at('dead') })
    const failing = await client.publish({ url: at('failing') })
    await client.batch(range('underway', 6).map((path) => ({ url: at(path) })))
    await client.batch(
      range('limited', 4).map((path) => ({ url: at(path), flowControl: { key: 'k', parallelism: 1 } })),
    )
    await client.batch(range('delayed', 5).map((path) => ({ url: at(path), delay: 1 })))
    const queue = client.queue({ queueName: 'ordered' })
    for (const path of range('queued', 4)) await queue.enqueue({ url: at(path), deduplicationId: path })
    await client.schedules.create({ scheduleId: 'kept', destination: at('never'), cron: '0 0 1 1 *' })
    // The dead and the failing one, all under way, and the first of the limited and of the queued.
    await destination.received(10)
    await aMoment()
    const exited = once(child, 'exit')
    child.kill('SIGKILL')
    await exited
    held.open()
    dying = false
    const beforeCrash = destination.deliveries.splice(0).map(({ path }) => path)
    expect(beforeCrash).toContain('/queued-0')

    const restarted = await startLocal({ dataFile })
    const duplicate = await restarted.client.queue({ queueName: 'ordered' }).enqueue({
      url: at('queued-0'),
      deduplicationId: 'queued-0',
    })
    expect(duplicate).toMatchObject({ deduplicated: true })
    await destination.received(20)
    await restarted.qstash.idle()
    const paths = destination.deliveries.map(({ path }) => path.slice(1))
    const expected = [
      'failing',
      ...range('underway', 6),
      ...range('limited', 4),
      ...range('delayed', 5),
      ...range('queued', 4),
    ]
    expect(paths.toSorted()).toEqual(expected.toSorted())
    expect(paths.filter((path) => path.startsWith('queued'))).toEqual(range('queued', 4))
    expect(maxQueuedOpen).toBe(1)
    expect(destination.deliveries.find(({ path }) => path === '/failing')?.headers).toMatchObject({
      'upstash-retried': '1',
      'upstash-message-id': failing.messageId,
    })
    expect((await restarted.client.dlq.listMessages()).messages).toMatchObject([{ url: at('dead') }])
    expect(await restarted.client.schedules.list()).toMatchObject([{ scheduleId: 'kept' }])
  })

  it('does not let a second process have its file', async () => {
    const dataFile = temporaryDataFile()
    await startLocal({ dataFile })
    await expect(startLocal({ dataFile })).rejects.toThrow('locked')
  })

  it('lets go of its file when it cannot have its port, and of both when it stops', async () => {
    const { qstash } = await startLocal()
    const dataFile = temporaryDataFile()
    await expect(startLocal({ dataFile, port: qstash.port })).rejects.toThrow('EADDRINUSE')
    await qstash.stop()
    const second = await startLocal({ dataFile, port: qstash.port })
    expect(second.qstash.port).toBe(qstash.port)
  })
})
