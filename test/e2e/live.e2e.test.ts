import { setTimeout as sleep } from 'node:timers/promises'
import { beforeAll, describe, expect, it } from 'vitest'
import { Account } from '../../src/services/accounts/schemas.ts'
import { nobody } from './support/client.ts'
import { type Frame, issueTicket, LiveSocket, listenLive } from './support/live.ts'
import { importFile, importReport, ndjson, type Person, signUp, upload } from './support/people.ts'
import { sql, stack } from './support/stack.ts'

const BAD_TICKET = 4401

const rowsOf = (name: string, count: number) =>
  ndjson(
    Array.from({ length: count }, (_, n) => ({
      post_id: `${name}-${n}`,
      posted_at: '2026-11-01T10:00:00Z',
      likes: n,
    })),
  )

describe('live updates', () => {
  let person: Person
  let accountId: string

  beforeAll(async () => {
    person = await signUp()
    await importFile(person.key, { handle: 'live', body: rowsOf('live', 1) })
    const [account] = await person.key.readAll(Account, '/api/v1/accounts')
    if (account === undefined) throw new Error('The import made no account')
    accountId = account.id
  })

  /** A change that listeners are told of. */
  const change = async () => {
    expect((await person.key.patch(`/api/v1/accounts/${accountId}`, { brandId: null })).status).toBe(200)
  }
  /** Late enough after the one before to be told by itself. */
  const changeApart = async () => {
    await sleep(1_050)
    await change()
  }
  const isEvent = ({ type }: Frame) => type !== 'hello'
  /** Whether nothing is missing: each names the one before it, and the first one that was there at `hello`. */
  const gapless = (frames: Frame[]) =>
    frames.slice(1).every((frame, i) => {
      const before = frames[i]
      if (before === undefined || frame.seq <= before.seq) return false
      return before.type === 'hello' ? frame.prevSeq <= before.seq : frame.prevSeq === before.seq
    })

  it('opens with a ticket of a key or a session, and says where it stands', async () => {
    for (const client of [person.key, person.session]) {
      const { url, ticket, expiresAt } = await issueTicket(client)
      expect(url.startsWith(`${stack.url.replace('http', 'ws')}/api/v1/realtime?ticket=`)).toBe(true)
      expect(new URL(url).searchParams.get('ticket')).toBe(ticket)
      expect(Date.parse(expiresAt) - Date.now()).toBeLessThanOrEqual(30_000)
      const socket = new LiveSocket(url)
      const hello = await socket.frame('hello', ({ type }) => type === 'hello')
      expect(hello.data).toEqual({ seq: hello.seq, generation: hello.generation })
      expect(hello.prevSeq).toBe(hello.seq)
      expect(hello.at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
      socket.close()
    }
  })

  it('takes a ticket once', async () => {
    const { url } = await issueTicket(person.key)
    const first = new LiveSocket(url)
    await first.frame('hello', ({ type }) => type === 'hello')
    const second = new LiveSocket(url)
    expect(await second.closed).toMatchObject({ code: BAD_TICKET })
    expect(second.frames).toEqual([])
    // Whoever came first is not disturbed.
    first.send('ping')
    await change()
    await first.frame('an event', isEvent)
    first.close()
  })

  it.each([
    ['no ticket', () => ''],
    ['an empty ticket', () => '?ticket='],
    ['a ticket that was never issued', () => `?ticket=${person.workspaceId}.${'A'.repeat(43)}`],
    ['a ticket of a workspace that is not there', () => `?ticket=nowhere.${'A'.repeat(43)}`],
    ['an API key', () => `?ticket=${person.apiKey}`],
  ])('closes with 4401 on %s', async (_, query) => {
    const socket = new LiveSocket(`${stack.url.replace('http', 'ws')}/api/v1/realtime${query()}`)
    expect(await socket.closed).toMatchObject({ code: BAD_TICKET })
    expect(socket.frames).toEqual([])
  })

  it('takes no ticket of another workspace for its own', async () => {
    const { ticket } = await issueTicket(person.key)
    const other = await signUp('Grace')
    const swapped = ticket.replace(person.workspaceId, other.workspaceId)
    const socket = new LiveSocket(`${stack.url.replace('http', 'ws')}/api/v1/realtime?ticket=${swapped}`)
    expect(await socket.closed).toMatchObject({ code: BAD_TICKET })
  })

  it.each([undefined, 1000, 1001, 4000])('says goodbye to who closes with the code %s', async (code) => {
    const socket = await listenLive(person.key)
    socket.close(code)
    const late = sleep(2_000).then(() => 'no answer')
    expect(await Promise.race([socket.closed, late])).toMatchObject({ code: code ?? 1000 })
  })

  it('answers what is no upgrade with 426', async () => {
    const { url } = await issueTicket(person.key)
    const { pathname, search } = new URL(url)
    expect((await nobody.get(pathname + search)).status).toBe(426)
  })

  it('tells of changes in order, each frame naming the one before it', async () => {
    const socket = await listenLive(person.key)
    for (let i = 0; i < 3; i++) await changeApart()
    await socket.frame('three events', () => socket.frames.filter(isEvent).length >= 3)
    expect(gapless(socket.frames)).toBe(true)
    const generations = socket.frames.filter(isEvent).map(({ generation }) => generation)
    expect(generations).toEqual(generations.toSorted((a, b) => a - b))
    expect(socket.frames.at(-1)).toMatchObject({
      type: 'metrics.updated',
      data: { accounts: [{ id: accountId, delta: {} }], posts: [] },
    })
    socket.close()
  })

  it('tells of many changes at once as one a second, up to the last', async () => {
    const socket = await listenLive(person.key)
    for (let i = 0; i < 12; i++) await change()
    const [{ generation = 0 } = {}] = await sql<{ generation: number }>(
      'SELECT generation::int FROM workspaces WHERE id = $1',
      [person.workspaceId],
    )
    const last = await socket.frame(
      'the last change',
      (frame) => isEvent(frame) && frame.generation >= generation,
    )
    expect(last.generation).toBe(generation)
    const seconds = Math.ceil((Date.parse(last.at) - Date.parse(socket.frames[0]?.at ?? '')) / 1_000)
    expect(socket.frames.filter(isEvent).length).toBeLessThanOrEqual(seconds + 1)
    expect(gapless(socket.frames)).toBe(true)
    socket.close()
  })

  it('replays what was missed since a place, and nothing before it', async () => {
    const first = await listenLive(person.key)
    await change()
    const seen = await first.frame('an event', isEvent)
    first.close()
    await first.closed
    for (let i = 0; i < 3; i++) await changeApart()

    const again = await listenLive(person.key, { since: String(seen.seq) })
    await again.frame('three missed events', () => again.frames.filter(isEvent).length >= 3)
    const missed = again.frames.filter(isEvent)
    expect(missed.map(({ seq }) => seq)).toEqual([1, 2, 3].map((n) => seen.seq + n))
    expect(missed[0]?.prevSeq).toBe(seen.seq)
    expect(gapless(missed)).toBe(true)
    // What comes next follows without a gap.
    await change()
    await again.frame('a fourth', ({ prevSeq }) => prevSeq === seen.seq + 3)
    again.close()
  })

  it.each(['999999999', 'yesterday'])('tells who asks since %s to fetch anew', async (since) => {
    const socket = await listenLive(person.key, { since })
    await socket.frame('resync', ({ type }) => type === 'resync')
    socket.close()
  })

  it('tells of chosen types alone, also when they are chosen later', async () => {
    const jobs = await listenLive(person.key, { types: 'jobs' })
    const metrics = await listenLive(person.key, { types: 'trending' })
    metrics.send({ subscribe: ['metrics'] })
    await sleep(100)
    await importFile(person.key, { handle: 'live', body: rowsOf(`types-${Date.now()}`, 2) })
    await jobs.frame('the job ends', ({ data }) => data.status === 'succeeded')
    await metrics.frame('the change', ({ type }) => type === 'metrics.updated')
    const types = (socket: LiveSocket) => [...new Set(socket.frames.filter(isEvent).map(({ type }) => type))]
    expect(types(jobs)).toEqual(['job.updated'])
    expect(types(metrics)).toEqual(['metrics.updated'])
    // Left out on purpose is no gap.
    expect(gapless(jobs.frames)).toBe(true)
    expect(gapless(metrics.frames)).toBe(true)
    jobs.close()
    metrics.close()
  })

  it('tells how an import goes on until it is over', async () => {
    const socket = await listenLive(person.key, { types: 'jobs' })
    const body = rowsOf(`progress-${Date.now()}`, 5_000)
    const id = await upload(person.key, { handle: 'live', body })
    await importReport(person.key, id)
    const done = await socket.frame('the end', ({ data }) => data.id === id && data.status === 'succeeded')
    expect(done.data).toEqual({
      id,
      status: 'succeeded',
      progress: { done: body.length, total: body.length },
    })
    const told = socket.frames.filter(({ data }) => data.id === id).map(({ data }) => data.status)
    expect(told[0]).toBe('queued')
    expect(told.indexOf('succeeded')).toBe(told.length - 1)
    socket.close()
  })

  it('answers ping with pong, and puts up with nonsense for a while', async () => {
    const socket = await listenLive(person.key)
    socket.send('ping')
    await socket.frame('pong', () => socket.texts.includes('pong')).catch(() => {})
    expect(socket.texts).toEqual(['pong'])
    for (const text of ['{', '[]', '{"subscribe":"all"}', '{"ack":-1}', 'PING']) socket.send(text)
    socket.send({ ack: 0 })
    await change()
    await socket.frame('an event', isEvent)
    for (let i = 0; i < 30; i++) socket.send('nonsense')
    expect(await socket.closed).toMatchObject({ code: 1008 })
  })

  it('tells nobody of what happens in other workspaces', async () => {
    const stranger = await signUp('Grace')
    const socket = await listenLive(stranger.key)
    await change()
    await importFile(person.key, { handle: 'live', body: rowsOf(`secret-${Date.now()}`, 2) })
    await importFile(stranger.key, { handle: 'theirs', body: rowsOf('theirs', 2) })
    await socket.frame('one’s own job ends', ({ data }) => data.status === 'succeeded')
    expect(JSON.stringify(socket.frames)).not.toContain(accountId)
    expect(gapless(socket.frames)).toBe(true)
    socket.close()
  })

  it('refuses a ticket that is older than half a minute', async () => {
    await sleep(Math.max(0, Date.parse(stack.oldTicket.expiresAt) + 500 - Date.now()))
    expect(await new LiveSocket(stack.oldTicket.url).closed).toMatchObject({ code: BAD_TICKET })
  })
})
