import { setTimeout as sleep } from 'node:timers/promises'
import { beforeAll, describe, expect, it } from 'vitest'
import { CACHE_POLICIES } from '../../src/http/cache-policies.ts'
import { type Answer, Client, expectProblem } from './support/client.ts'
import { describedOperations } from './support/described-operations.ts'
import { ask, bodyReferringTo } from './support/examples.ts'
import { type Frame, listenLive } from './support/live.ts'
import { freshIp } from './support/people.ts'
import { mayAsk, permissionOf } from './support/permissions.ts'
import { queueIdle } from './support/stack.ts'
import {
  expectNothingOf,
  foreignIds,
  foreignValueOf,
  makeStrangers,
  ownedCollections,
  REPEATED_KEY,
  type Stranger,
} from './support/strangers.ts'
import { type Caller, teamOf } from './support/team.ts'
import { rowsOf, stillRowsOf } from './support/tenant-rows.ts'
import { collectionsOf, makeThings, pathOf, type Things } from './support/things.ts'

const operations = await describedOperations()
/** What somebody asks of a workspace; operators ask of the deployment. */
const ofWorkspaces = operations.filter((one) => !one.isPublic && permissionOf(one) !== 'operator')
/** They keep what somebody has said, also where it was refused. */
const MEMORIES: readonly string[] = ['audit_log', 'idempotency_keys', 'jobs']
/** How long a tier's answer is used. */
const { memoryMs: MEMORY_MS, coloMs: COLO_MS } = CACHE_POLICIES.overview

/** Named by a path, and in no row under that name. */
const NO_ROWS: readonly string[] = ['hashtags', 'dead-letters']
/** For finding out whether there is something to refer to. */
const EVERY_ID: Record<string, string> = { accounts: 'x', brands: 'x', members: 'x', workspaces: 'x' }

const from = (ip: string) => new Client({ 'cf-connecting-ip': ip })

describe('every operation', () => {
  let things: Things
  let team: Caller[]
  beforeAll(async () => {
    things = await makeThings('permitted')
    team = await teamOf(things.person)
  })

  it.each(operations)('says who may ask for it: $name', (operation) => {
    expect(permissionOf(operation)).toMatch(/^[a-z]+(-[a-z]+)*(\.[a-z]+)?$/)
    for (const caller of team) if (!operation.isPublic) mayAsk(caller, operation)
  })

  it.each(operations)('answers nobody, unless it is public: $name', async (operation) => {
    const answer = await ask(from(freshIp()), operation, things.ids)
    if (operation.isPublic) expect([200, 201, 404]).toContain(answer.status)
    else expectProblem(answer, 401, 'unauthorized')
  })

  it.each(operations.filter((one) => !one.isPublic))(
    'refuses whoever may not, and changes nothing: $name',
    async (operation) => {
      const refused = team.filter((caller) => !mayAsk(caller, operation))
      const before = await stillRowsOf(things.person.workspaceId)
      for (const { who, client, role, workspaceId } of refused) {
        const answer = await ask(client, operation, { ...things.ids, workspaces: workspaceId })
        expect(`${who}: ${answer.status} ${answer.text}`).toMatch(`${who}: 403 `)
        expectProblem(answer, 403, role === null ? 'insufficient_scope' : 'insufficient_role')
      }
      expect(await stillRowsOf(things.person.workspaceId)).toEqual(before)
    },
  )

  it.each(operations.filter((one) => !one.isPublic))(
    'takes whoever may at their word: $name',
    async (operation) => {
      const allowed = team.filter((caller) => mayAsk(caller, operation))
      expect(allowed.length).toBeGreaterThan(0)
      // What changes something is asked of what is not there: it would be gone for those who come next.
      const nothing = Object.fromEntries(Object.keys(things.ids).map((key) => [key, crypto.randomUUID()]))
      const ids = operation.method === 'GET' ? things.ids : nothing
      for (const { who, client, role, workspaceId } of allowed) {
        const answer = await ask(client, operation, { ...ids, workspaces: workspaceId })
        // A key may invite, and not give what it does not have itself.
        const tooMuch = role === null ? '|403 .*"insufficient_role"' : ''
        const expected = operation.method === 'GET' ? '2\\d\\d' : `(2\\d\\d|400|404|409|415|422${tooMuch})`
        expect(`${who}: ${answer.status} ${answer.text}`).toMatch(new RegExp(`^${who}: ${expected}`))
      }
    },
  )
})

const isEvent = ({ type }: Frame) => type !== 'hello'

/** Operations whose answers are kept in caches. */
async function cachedOperations({ person, ids }: Things) {
  const reads = ofWorkspaces.filter(({ method }) => method === 'GET')
  const answers = await Promise.all(
    reads.map(
      async (operation): Promise<[typeof operation, Answer]> => [
        operation,
        await ask(person.key, operation, ids),
      ],
    ),
  )
  return answers.flatMap(([operation, { headers }]) => (headers.has('cache-status') ? [operation] : []))
}

describe('somebody else’s workspace', () => {
  let mine: Stranger
  let theirs: Stranger
  let before: Record<string, string[]>
  beforeAll(async () => {
    ;[mine, theirs] = await makeStrangers()
    before = await stillRowsOf(theirs.person.workspaceId)
  })
  const clients = () => [mine.person.session, mine.person.key]
  const expectUnchanged = async () => expect(await stillRowsOf(theirs.person.workspaceId)).toEqual(before)

  it('has something to hide of every kind', () => {
    expect(theirs.secrets).toEqual(
      expect.arrayContaining([
        ...Object.entries(theirs.ids).flatMap(([collection, id]) =>
          NO_ROWS.includes(collection) ? [] : [id],
        ),
        theirs.person.email,
        'Number 1 of #theirmarker',
        'Number 3 of #secondtheirmarker',
        'https://example.com/theirmarker.png',
        'https://example.com/theirmarker/1',
        'Brand theirmarker',
        'Display theirmarker',
        'Key theirmarker',
        'Person theirmarker',
        'Reason theirmarker',
        'Workspace theirmarker',
        'theirmarker',
        'other_theirmarker',
        'secondtheirmarker',
        'theirmarker-1',
        '770000001',
      ]),
    )
  })

  it.each(operations.filter(({ method }) => method === 'GET'))(
    'is not spoken of to others: $name',
    async (operation) => {
      for (const client of [...clients(), from(freshIp())])
        expectNothingOf(theirs, await ask(client, operation, mine.ids), '')
    },
  )

  it.each(ofWorkspaces.filter((one) => ownedCollections(one).length > 0))(
    'cannot be reached by its ids: $name',
    async (operation) => {
      for (const ids of foreignIds(operation, mine, theirs))
        for (const client of clients()) {
          const answer = await ask(client, operation, ids)
          expectProblem(answer, 404, 'not_found')
          expectNothingOf(theirs, answer, pathOf(operation, ids))
        }
      await expectUnchanged()
    },
  )

  it.each(operations.filter(({ parameters }) => parameters.some((one) => one.in !== 'header')))(
    'cannot be asked for: $name',
    async (operation) => {
      for (const { name, in: place, schema } of operation.parameters) {
        if (schema.enum !== undefined || place === 'header') continue
        const isHashtag = place === 'path' && collectionsOf(operation).includes('hashtags')
        if (place === 'path' && !isHashtag) continue
        const ids = isHashtag ? { ...mine.ids, hashtags: theirs.ids.hashtags ?? '' } : mine.ids
        const value = await foreignValueOf(name, operation, theirs)
        const query = place === 'query' ? { [name]: value } : {}
        for (const client of operation.isPublic ? [from(freshIp())] : clients()) {
          const answer = await ask(client, operation, ids, { query })
          expect(`${name}: ${answer.status} ${answer.text}`).toMatch(/^\w+: (2\d\d|400|403|404|409|422) /)
          expectNothingOf(theirs, answer, { ids, query })
        }
      }
      await expectUnchanged()
    },
  )

  it.each(ofWorkspaces.filter((one) => bodyReferringTo(one, EVERY_ID) !== null))(
    'cannot be referred to: $name',
    async (operation) => {
      const json = bodyReferringTo(operation, theirs.ids)
      for (const client of clients()) {
        const answer = await ask(client, operation, mine.ids, { json })
        // What is done in the background says so in its own time.
        expect(`${answer.status} ${answer.text}`).toMatch(/^(202|400|403|404|409|422) /)
        expectNothingOf(theirs, answer, json)
      }
      await queueIdle()
      await expectUnchanged()
      const own = [...(await rowsOf(mine.person.workspaceId))].filter(([table]) => !MEMORIES.includes(table))
      const kept = JSON.stringify(own)
      const { hashtags: _, ...ids } = theirs.ids
      expect(Object.values(ids).filter((id) => kept.includes(id))).toEqual([])
    },
  )

  it.each(ofWorkspaces)('cannot be chosen: $name', async (operation) => {
    const headers = { 'x-workspace-id': theirs.person.workspaceId }
    for (const client of clients()) {
      const answer = await ask(client.with(headers), operation, theirs.ids)
      expectProblem(answer, 404, 'not_found')
      expectNothingOf(theirs, answer, pathOf(operation, theirs.ids))
    }
    await expectUnchanged()
  })

  it('keeps its first answers for itself', async () => {
    const path = `/api/v1/accounts/${theirs.ids.accounts}/restore`
    for (const client of clients()) {
      const answer = await client.post(path, undefined, { 'idempotency-key': REPEATED_KEY })
      expectProblem(answer, 404, 'not_found')
      expect(answer.headers.get('idempotent-replayed')).toBeNull()
      expectNothingOf(theirs, answer, path)
    }
  })

  it('is never mixed up in what is cached, whichever tier answers', { retry: 1 }, async () => {
    const cached = await cachedOperations(mine)
    expect(cached.length).toBeGreaterThan(0)
    const [one, other] = await makeStrangers()
    const tiers = new Set<string>()
    const first = new Map<string, string>()
    const round = async () => {
      for (const [asking, hidden] of [[one, other] as const, [other, one] as const]) {
        let toldOfOwn = 0
        for (const operation of cached) {
          const answer = await ask(asking.person.key, operation, asking.ids)
          expect(answer.status).toBe(200)
          tiers.add(/cache;desc="(\w+)"/.exec(answer.headers.get('server-timing') ?? '')?.[1] ?? 'none')
          expectNothingOf(hidden, answer, '')
          toldOfOwn += Object.values(asking.ids).filter((id) => answer.text.includes(id)).length
          const whose = `${asking.person.workspaceId} ${operation.name}`
          expect(answer.text).toBe(first.get(whose) ?? answer.text)
          first.set(whose, answer.text)
        }
        // What is asked for is there, and not a third one's, asked for by somebody before.
        expect(toldOfOwn).toBeGreaterThan(0)
      }
    }
    for (const pauseMs of [0, 0, MEMORY_MS + 200, COLO_MS - MEMORY_MS]) {
      await sleep(pauseMs)
      await round()
    }
    expect([...tiers].toSorted()).toEqual(['colo', 'memory', 'origin', 'region'])
  })

  it('is not heard of by those who listen to another', async () => {
    const sockets = await Promise.all(
      [mine, theirs].map(({ person }) => listenLive(person.key, { since: '0' })),
    )
    const [ours, others] = sockets
    if (ours === undefined || others === undefined) throw new Error('Nobody listens')
    for (const [{ person, ids }, socket] of [
      [theirs, others],
      [mine, ours],
    ] as const) {
      const heard = socket.frames.length
      expect((await person.key.patch(`/api/v1/accounts/${ids.accounts}`, { brandId: null })).status).toBe(200)
      await socket.frame('the change', (frame) => socket.frames.indexOf(frame) >= heard && isEvent(frame))
    }
    expect(theirs.secrets.filter((secret) => JSON.stringify(ours.frames).includes(secret))).toEqual([])
    expect(mine.secrets.filter((secret) => JSON.stringify(others.frames).includes(secret))).toEqual([])
    for (const socket of sockets) socket.close()
  })
})
