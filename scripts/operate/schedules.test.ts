import { expect, it } from 'vitest'
import { compareSchedules, SCHEDULES, scheduleDestination } from '../../src/domain/schedules.ts'
import { silenceClient, startLocal, TOKEN } from '../local/qstash/test-support.ts'
import { listSchedules, registerSchedules } from './schedules.ts'

const PUBLIC_URL = 'https://tidemark.example'

async function registered(callbacksUrl = PUBLIC_URL) {
  const { qstash, client } = await startLocal()
  const options = { qstashUrl: qstash.url, token: TOKEN, callbacksUrl }
  return { client, options, first: await registerSchedules(options) }
}

const compare = async (options: Awaited<ReturnType<typeof registered>>['options']) =>
  compareSchedules(await listSchedules(options), options.callbacksUrl)

const ids = SCHEDULES.map(({ id }) => id)

it('registers every schedule once, under the public address', async () => {
  const { client, options, first } = await registered()
  expect(first).toEqual({ created: ids, updated: [], unchanged: [] })
  expect(await registerSchedules(options)).toEqual({ created: [], updated: [], unchanged: ids })
  const schedules = await client.schedules.list()
  expect(
    Object.fromEntries(
      schedules.map(({ scheduleId, cron, destination }) => [scheduleId, [cron, destination]]),
    ),
  ).toEqual({
    'tidemark-sync-plan': ['* * * * *', `${PUBLIC_URL}/callbacks/sync/plan`],
    'tidemark-trending': ['*/5 * * * *', `${PUBLIC_URL}/callbacks/trending/plan`],
    'tidemark-outbox': ['* * * * *', `${PUBLIC_URL}/callbacks/outbox/sweep`],
    'tidemark-reconciliation': ['41 2 * * *', `${PUBLIC_URL}/callbacks/reconcile/plan`],
    'tidemark-credentials': ['7 * * * *', `${PUBLIC_URL}/callbacks/credentials/refresh`],
    'tidemark-upkeep': ['17 3 * * *', `${PUBLIC_URL}/callbacks/upkeep/daily`],
  })
})

it('moves schedules that call another address and repairs those that were changed', async () => {
  const { client, options } = await registered('https://old.example')
  const moved = { ...options, callbacksUrl: PUBLIC_URL }
  await client.schedules.create({
    scheduleId: 'tidemark-upkeep',
    destination: `${PUBLIC_URL}/callbacks/upkeep/daily`,
    cron: '0 5 * * *',
  })
  expect((await compare(moved)).map(({ state }) => state)).toEqual([
    'elsewhere',
    'elsewhere',
    'elsewhere',
    'elsewhere',
    'elsewhere',
    'different',
  ])
  expect(await registerSchedules(moved)).toEqual({ created: [], updated: ids, unchanged: [] })
  expect((await compare(moved)).every(({ state }) => state === 'ok')).toBe(true)
})

it('leaves a paused schedule paused and says so, and makes a missing one', async () => {
  const { client, options } = await registered()
  await client.schedules.pause({ schedule: 'tidemark-outbox' })
  await client.schedules.delete('tidemark-trending')
  expect(await compare(options)).toMatchObject([
    { state: 'ok' },
    { id: 'tidemark-trending', state: 'missing', destination: null },
    { id: 'tidemark-outbox', state: 'paused' },
    { state: 'ok' },
    { state: 'ok' },
    { state: 'ok' },
  ])
  expect(await registerSchedules(options)).toMatchObject({ created: ['tidemark-trending'], updated: [] })
  expect((await client.schedules.get('tidemark-outbox')).isPaused).toBe(true)
})

it('fails on a token that QStash refuses', async () => {
  silenceClient()
  const { options } = await registered()
  await expect(registerSchedules({ ...options, token: 'another' })).rejects.toThrow()
})

it('joins the public address and the path without doubling slashes', () => {
  const [plan] = SCHEDULES
  if (!plan) throw new Error('there are no schedules')
  expect(scheduleDestination('https://tidemark.example/', plan)).toBe(
    'https://tidemark.example/callbacks/sync/plan',
  )
})
