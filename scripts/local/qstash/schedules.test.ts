import { describe, expect, it } from 'vitest'
import { nextCronMs } from './schedules.ts'
import { ManualClock, silenceClient, startDestination, startLocal } from './test-support.ts'

const MINUTE_MS = 60_000

describe('nextCronMs', () => {
  const next = (cron: string, after: string) => new Date(nextCronMs(cron, Date.parse(after))).toISOString()

  it.each([
    ['* * * * *', '2026-11-22T10:00:00Z', '2026-11-22T10:01:00.000Z'],
    ['*/5 * * * *', '2026-11-22T10:01:30Z', '2026-11-22T10:05:00.000Z'],
    ['0 4 * * *', '2026-11-22T10:00:00Z', '2026-11-23T04:00:00.000Z'],
    ['0 0 ? * MON', '2026-11-22T10:00:00Z', '2026-11-23T00:00:00.000Z'],
    ['CRON_TZ=America/New_York 0 4 * * *', '2026-11-22T10:00:00Z', '2026-11-23T09:00:00.000Z'],
    ['CRON_TZ=Asia/Kathmandu 0 12 * * *', '2026-11-22T00:00:00Z', '2026-11-22T06:15:00.000Z'],
  ])('%s after %s', (cron, after, expected) => {
    expect(next(cron, after)).toBe(expected)
  })

  it.each(['* * * *', '* * * * * *', '60 * * * *', 'CRON_TZ=Nowhere/Land * * * * *', '0 0 30 2 *', 'often'])(
    'refuses %s',
    (cron) => {
      expect(() => next(cron, '2026-11-22T10:00:00Z')).toThrow('invalid cron')
    },
  )
})

describe('schedules', () => {
  it('publish at each time of their cron expression', async () => {
    const clock = new ManualClock('2026-11-22T10:00:30Z')
    const destination = await startDestination()
    const { qstash, client } = await startLocal({ clock })
    const { scheduleId } = await client.schedules.create({
      scheduleId: 'plan',
      destination: `${destination.url}/plan`,
      cron: '*/2 * * * *',
      body: '{"a":1}',
      headers: { 'x-tenant': 'acme' },
      retries: 0,
      label: 'sync',
    })
    expect(scheduleId).toBe('plan')
    clock.advance(89_999)
    await qstash.idle()
    expect(destination.deliveries).toEqual([])
    clock.advance(1)
    await qstash.idle()
    expect(destination.deliveries).toHaveLength(1)
    clock.advance(2 * MINUTE_MS)
    await qstash.idle()
    expect(destination.deliveries).toMatchObject(
      Array.from({ length: 2 }, () => ({
        method: 'POST',
        path: '/plan',
        body: '{"a":1}',
        headers: { 'upstash-schedule-id': 'plan', 'content-type': 'application/json', 'x-tenant': 'acme' },
      })),
    )

    const schedule = await client.schedules.get('plan')
    const [first, second] = destination.deliveries.map(({ headers }) => String(headers['upstash-message-id']))
    expect(schedule).toMatchObject({
      scheduleId: 'plan',
      cron: '*/2 * * * *',
      destination: `${destination.url}/plan`,
      body: '{"a":1}',
      method: 'POST',
      retries: 0,
      labels: ['sync'],
      isPaused: false,
      lastScheduleTime: Date.parse('2026-11-22T10:04:00Z'),
      nextScheduleTime: Date.parse('2026-11-22T10:06:00Z'),
      lastScheduleStates: { [first ?? '']: 'SUCCESS', [second ?? '']: 'SUCCESS' },
    })
  })

  it('are replaced under their id, not doubled', async () => {
    const clock = new ManualClock('2026-11-22T10:00:00Z')
    const destination = await startDestination()
    const { qstash, client } = await startLocal({ clock })
    const create = (path: string, cron: string) =>
      client.schedules.create({ scheduleId: 'one', destination: `${destination.url}${path}`, cron })
    await create('/old', '* * * * *')
    clock.advance(10_000)
    await create('/new', '* * * * *')
    clock.advance(MINUTE_MS)
    await qstash.idle()
    expect(destination.deliveries.map(({ path }) => path)).toEqual(['/new'])
    const list = await client.schedules.list()
    expect(list).toMatchObject([{ scheduleId: 'one', createdAt: Date.parse('2026-11-22T10:00:00Z') }])
  })

  it('let their times pass while paused, and none fires after deletion', async () => {
    silenceClient()
    const clock = new ManualClock('2026-11-22T10:00:00Z')
    const destination = await startDestination()
    const { qstash, client } = await startLocal({ clock })
    const { scheduleId } = await client.schedules.create({ destination: destination.url, cron: '* * * * *' })
    await client.schedules.pause({ schedule: scheduleId })
    clock.advance(5 * MINUTE_MS)
    await qstash.idle()
    expect(destination.deliveries).toEqual([])
    expect((await client.schedules.get(scheduleId)).isPaused).toBe(true)
    await client.schedules.resume({ schedule: scheduleId })
    clock.advance(MINUTE_MS)
    await qstash.idle()
    expect(destination.deliveries).toHaveLength(1)
    await client.schedules.delete(scheduleId)
    clock.advance(5 * MINUTE_MS)
    await qstash.idle()
    expect(destination.deliveries).toHaveLength(1)
    await expect(client.schedules.get(scheduleId)).rejects.toMatchObject({ status: 404 })
  })

  it('do not catch up with what they missed', async () => {
    const clock = new ManualClock('2026-11-22T10:00:00Z')
    const destination = await startDestination()
    const { qstash, client, dataFile } = await startLocal({ clock })
    await client.schedules.create({ destination: destination.url, cron: '* * * * *' })
    await qstash.stop()
    clock.advance(60 * MINUTE_MS + 30_000)
    const again = await startLocal({ clock, dataFile })
    await again.qstash.idle()
    expect(destination.deliveries).toEqual([])
    clock.advance(30_000)
    await again.qstash.idle()
    expect(destination.deliveries).toHaveLength(1)
  })

  it('can put their messages into a queue, delay them and count retries', async () => {
    const clock = new ManualClock('2026-11-22T10:00:00Z')
    const destination = await startDestination(() => ({ status: 500 }))
    const { qstash, client } = await startLocal({ clock, timeScale: 0 })
    await client.schedules.create({
      scheduleId: 'queued',
      destination: destination.url,
      cron: '* * * * *',
      queueName: 'nightly',
      delay: 15,
      retries: 1,
    })
    clock.advance(MINUTE_MS)
    await qstash.idle()
    expect(destination.deliveries).toEqual([])
    expect((await client.queue({ queueName: 'nightly' }).get()).lag).toBe(1)
    await client.schedules.pause({ schedule: 'queued' })
    clock.advance(15_000)
    await destination.received(1)
    while (destination.deliveries.length < 2) {
      clock.advance(1)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    await qstash.idle()
    const filter = { scheduleId: 'queued', queueName: 'nightly' }
    expect((await client.dlq.listMessages({ filter })).messages).toHaveLength(1)
    const { lastScheduleStates } = await client.schedules.get('queued')
    expect(Object.values(lastScheduleStates ?? {})).toEqual(['FAIL'])
  })

  it('are refused where their messages would be', async () => {
    silenceClient()
    const { client } = await startLocal()
    const create = (request: { cron?: string; destination?: string; scheduleId?: string }) =>
      client.schedules.create({ cron: '* * * * *', destination: 'http://127.0.0.1:9', ...request })
    await expect(create({ cron: '* * *' })).rejects.toMatchObject({ status: 400 })
    await expect(create({ destination: 'example.com' })).rejects.toMatchObject({ status: 400 })
    await expect(create({ destination: 'no-group' })).rejects.toMatchObject({ status: 404 })
    await expect(create({ scheduleId: 'a b' })).rejects.toMatchObject({ status: 400 })
    expect(await client.schedules.list()).toEqual([])
  })
})
