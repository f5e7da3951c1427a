import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../../test/harness/database.ts'
import { makeWorkspace } from '../../../test/harness/factories.ts'
import { DatabaseError } from '../../db/client.ts'
import { AppError } from '../../errors.ts'
import type { ObjectStore } from '../../ports.ts'
import type { ServiceContext } from '../context.ts'
import { cancelJob, getJob } from '../jobs/index.ts'
import { getImport } from './get-import.ts'
import { csv, deliver, drain, makeRig, oneRangeADelivery, type Rig, streamOf } from './rig.test-helper.ts'
import { startImport } from './start-import.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.close())

const HEADER = ['post_id', 'posted_at', 'likes', 'shares', 'account', 'text']

/**
 * Rows so long that four fill a range, so three ranges: eight posts, of which two stand there twice, ranges
 * apart, two lines that are wrong, and two new accounts.
 */
const ROWS = Array.from({ length: 12 }, (_, i) => [
  `p${i % 10}`,
  i === 3 || i === 7 ? 'never' : new Date(Date.UTC(2025, 0, 1) + i * 3_600_000).toISOString(),
  String(i + 1),
  i % 3 === 0 ? '' : '2',
  i % 2 === 0 ? 'one' : 'Two',
  'word '.repeat(12_000),
])
const FILE = csv(HEADER, ...ROWS)
/** What the file comes to, by hand: the later of two lines of a post counts. */
const LAST = new Map(ROWS.filter(([, at]) => at !== 'never').map((row) => [`${row[4]} ${row[0]}`, row]))
const EXPECTED = {
  posts: LAST.size,
  likes: [...LAST.values()].reduce((sum, row) => sum + Number(row[2]), 0),
  shares: [...LAST.values()].reduce((sum, row) => sum + Number(row[3]), 0),
  rejected: ROWS.filter(([, at]) => at === 'never').length,
}

const start = (rig: Rig, file: string | Uint8Array = FILE) =>
  startImport(rig.ctx, { platform: 'x', handle: null, format: 'csv', body: streamOf(file) })

/** Everything that an import leaves behind, added up by the database. */
async function leftBehind(rig: Rig) {
  const workspaceId = rig.ctx.workspace.id
  const [sums] = await database.sql(
    `SELECT (SELECT jsonb_build_array(count(*), sum(likes), sum(shares)) FROM posts WHERE workspace_id = $1) AS posts,
       (SELECT jsonb_build_array(sum(posts), sum(likes), sum(shares)) FROM account_days WHERE workspace_id = $1) AS days,
       (SELECT jsonb_build_array(sum(posts), sum(likes), sum(shares)) FROM account_quarters WHERE workspace_id = $1) AS quarters,
       (SELECT count(*)::int FROM accounts WHERE workspace_id = $1) AS accounts,
       (SELECT count(*)::int FROM import_errors WHERE workspace_id = $1) AS errors`,
    [workspaceId],
  )
  return sums
}

const COMPLETE = {
  posts: [EXPECTED.posts, EXPECTED.likes, EXPECTED.shares],
  days: [EXPECTED.posts, EXPECTED.likes, EXPECTED.shares],
  quarters: [EXPECTED.posts, EXPECTED.likes, EXPECTED.shares],
  accounts: 2,
  errors: EXPECTED.rejected,
}
const REPORT = {
  status: 'succeeded',
  accepted: ROWS.length - EXPECTED.rejected,
  inserted: EXPECTED.posts,
  rejected: EXPECTED.rejected,
}

async function expectComplete(rig: Rig, id: string) {
  const report = await getImport(rig.ctx, id)
  expect(report).toMatchObject(REPORT)
  expect(report.processedBytes).toBe(report.sizeBytes)
  expect(await leftBehind(rig)).toEqual(COMPLETE)
  expect(rig.objects.stored.size).toBe(0)
}

describe('a delivery that is cut off', () => {
  it('is taken up by its repetition when it stored a range and could not send the next message', async () => {
    const rig = oneRangeADelivery(await makeRig(database))
    const job = await start(rig)
    const [first] = rig.queue.waiting.splice(0)
    if (first === undefined) throw new Error('no message')
    const down: Rig = {
      ...rig,
      ctx: {
        ...rig.ctx,
        queue: { publish: async () => Promise.reject(new AppError('unavailable', 'down')) },
      },
    }
    await expect(deliver(down, first)).rejects.toMatchObject({ code: 'unavailable' })
    expect(await getImport(rig.ctx, job.id)).toMatchObject({ status: 'running', accepted: 3 })
    expect(await deliver(rig, first)).toBe('overtaken')
    expect(await drain(rig)).toEqual(['continued', 'finished'])
    await expectComplete(rig, job.id)
  })

  /** Calls to the outside, the `at`-th of which breaks, before or after it has had its effect. */
  function breaking(rig: Rig, at: number, when: 'before' | 'after'): { rig: Rig; isBroken: () => boolean } {
    let calls = 0
    const guard = async <T>(call: () => Promise<T>): Promise<T> => {
      const breaks = calls++ === at
      if (breaks && when === 'before') throw new AppError('unavailable', 'broken before')
      const result = await call()
      if (breaks) throw new AppError('unavailable', 'broken after')
      return result
    }
    const { ctx } = rig
    const objects: ObjectStore = {
      put: (key, body) => ctx.objects.put(key, body),
      getRange: (key, offset, length) => guard(() => ctx.objects.getRange(key, offset, length)),
      delete: (key) => guard(() => ctx.objects.delete(key)),
    }
    const db: ServiceContext['db'] = {
      inWorkspace: (workspaceId, statements, options) =>
        guard(() => ctx.db.inWorkspace(workspaceId, statements, options)),
      outside: (query, options) => ctx.db.outside(query, options),
    }
    const queue = {
      publish: (messages: Parameters<typeof ctx.queue.publish>[0]) =>
        guard(() => ctx.queue.publish(messages)),
    }
    return { rig: { ...rig, ctx: { ...ctx, objects, db, queue } }, isBroken: () => calls > at }
  }

  it.each(['before', 'after'] as const)(
    'ends with the same numbers wherever it breaks (%s a call has its effect)',
    async (when) => {
      let at = 0
      for (; ; at++) {
        const whole = oneRangeADelivery(await makeRig(database))
        const job = await start(whole)
        const { rig, isBroken } = breaking(whole, at, when)
        for (
          let message = rig.queue.waiting.shift();
          message !== undefined;
          message = rig.queue.waiting.shift()
        ) {
          // The queue repeats a message that was not answered well.
          await deliver(rig, message).catch(() => message !== undefined && rig.queue.waiting.push(message))
        }
        const report = await getImport(whole.ctx, job.id)
        expect(report, `call ${at}`).toMatchObject(REPORT)
        expect(await leftBehind(whole), `call ${at}`).toEqual(COMPLETE)
        if (!isBroken()) break
      }
      // Every call of a whole import has been broken once.
      expect(at).toBeGreaterThanOrEqual(12)
    },
  )
})

describe('deliveries at the same time', () => {
  it('take a range in once', async () => {
    const rig = await makeRig(database)
    const job = await start(rig)
    const [first] = rig.queue.waiting
    if (first === undefined) throw new Error('no message')
    const outcomes = await Promise.all([deliver(rig, first), deliver(rig, first), deliver(rig, first)])
    expect(outcomes).toContain('finished')
    await drain(rig)
    await expectComplete(rig, job.id)
  })

  it('end with the same numbers in any order, repeated and late', async () => {
    const rig = oneRangeADelivery(await makeRig(database))
    const job = await start(rig)
    let seed = 7
    const random = (below: number) => {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648
      return Math.floor((seed / 2_147_483_648) * below)
    }
    while ((await getJob(rig.ctx, job.id)).status !== 'succeeded') {
      const { sent } = rig.queue
      const chosen = Array.from({ length: 1 + random(3) }, () => sent[random(sent.length)] ?? sent[0])
      await Promise.all(chosen.map((message) => message && deliver(rig, message)))
      const newest = rig.queue.waiting.pop()
      if (newest !== undefined) await deliver(rig, newest)
    }
    for (const message of rig.queue.sent) expect(await deliver(rig, message)).toBe('over')
    await expectComplete(rig, job.id)
  })

  it('change nothing when they come to their transaction after everybody else', async () => {
    const rig = await makeRig(database)
    const job = await start(rig)
    const [first] = rig.queue.waiting
    if (first === undefined) throw new Error('no message')
    const inWorkspace: ServiceContext['db']['inWorkspace'] = async (workspaceId, statements, options) => {
      // The one that stores a range: by then another delivery has stored all of them.
      if (statements.length > 6) expect(await deliver(rig, first)).toBe('finished')
      return rig.ctx.db.inWorkspace(workspaceId, statements, options)
    }
    const slow: Rig = { ...rig, ctx: { ...rig.ctx, db: { ...rig.ctx.db, inWorkspace } } }
    expect(await deliver(slow, first)).toBe('over')
    await expectComplete(rig, job.id)
  })

  it('of several imports make an account once', async () => {
    const workspaceId = await makeWorkspace(database)
    const all = Promise.withResolvers<void>()
    let arrived = 0
    const together = (rig: Rig): Rig => {
      let isFirst = true
      const inWorkspace: ServiceContext['db']['inWorkspace'] = async (id, statements, options) => {
        // The first transaction of more than one statement is the one that makes accounts.
        if (isFirst && statements.length > 1) {
          isFirst = false
          arrived += 1
          if (arrived === 4) all.resolve()
          await all.promise
        }
        return rig.ctx.db.inWorkspace(id, statements, options)
      }
      return { ...rig, ctx: { ...rig.ctx, db: { ...rig.ctx.db, inWorkspace } } }
    }
    const rigs = await Promise.all(Array.from({ length: 4 }, () => makeRig(database, { workspaceId })))
    const file = (i: number) =>
      csv(HEADER, [`p${i}`, '2026-01-01', '1', '', i % 2 === 0 ? '@Same' : 'same', ''])
    await Promise.all(rigs.map((rig, i) => start(rig, file(i))))
    const outcomes = await Promise.all(rigs.map((rig) => drain(together(rig))))
    expect(outcomes).toEqual(rigs.map(() => ['finished']))
    expect(
      await database.sql(
        `SELECT count(*)::int AS posts, count(DISTINCT account_id)::int AS used,
           (SELECT count(*)::int FROM accounts WHERE workspace_id = $1) AS accounts
         FROM posts WHERE workspace_id = $1`,
        [workspaceId],
      ),
    ).toEqual([{ posts: 4, used: 1, accounts: 1 }])
  })
})

describe('an import that is stopped', () => {
  it('keeps what it has, takes nothing more, and removes its file', async () => {
    const rig = oneRangeADelivery(await makeRig(database))
    const job = await start(rig)
    const first = rig.queue.waiting.shift()
    if (first === undefined) throw new Error('no message')
    expect(await deliver(rig, first)).toBe('continued')
    const before = await leftBehind(rig)
    expect(await cancelJob(rig.ctx, job.id)).toMatchObject({ status: 'cancelled' })
    expect(await drain(rig)).toEqual(['over'])
    expect(await leftBehind(rig)).toEqual(before)
    expect(await getImport(rig.ctx, job.id)).toMatchObject({
      status: 'cancelled',
      accepted: 3,
      rejected: 1,
    })
    expect(rig.objects.stored.size).toBe(0)
  })

  it('finishes the range under way at most', async () => {
    const whole = await makeRig(database)
    const job = await start(whole)
    let ranges = 0
    const objects: ObjectStore = {
      put: (key, body) => whole.objects.put(key, body),
      delete: (key) => whole.objects.delete(key),
      async getRange(key, offset, length) {
        ranges += 1
        if (ranges === 2) await cancelJob(whole.ctx, job.id)
        return whole.objects.getRange(key, offset, length)
      },
    }
    expect(await drain({ ...whole, ctx: { ...whole.ctx, objects } })).toEqual(['over'])
    expect(ranges).toBe(2)
    const report = await getImport(whole.ctx, job.id)
    expect(report).toMatchObject({ status: 'cancelled', accepted: 6, rejected: 2 })
    expect(await leftBehind(whole)).toMatchObject({
      posts: [6, 24, 8],
      errors: 2,
    })
    expect(whole.objects.stored.size).toBe(0)
  })

  it('expires when nobody finishes it within a day', async () => {
    const rig = await makeRig(database)
    const job = await start(rig)
    rig.time.nowMs += 86_400_000
    expect(await drain(rig)).toEqual(['over'])
    expect(await getImport(rig.ctx, job.id)).toMatchObject({ status: 'expired', accepted: 0 })
    expect(rig.objects.stored.size).toBe(0)
  })

  it('fails with a reason when its file is gone', async () => {
    const rig = await makeRig(database)
    const job = await start(rig)
    rig.objects.stored.clear()
    expect(await drain(rig)).toEqual(['failed'])
    expect(await getJob(rig.ctx, job.id)).toMatchObject({
      status: 'failed',
      error: {
        code: 'gone',
        message: 'The import stopped before line 2. The uploaded file is not there any more.',
      },
    })
  })

  it('fails, rather than being repeated for ever, when the database refuses what it holds', async () => {
    const rig = await makeRig(database)
    const job = await start(rig)
    const db: ServiceContext['db'] = {
      ...rig.ctx.db,
      inWorkspace: (workspaceId, statements, options) =>
        statements.length > 5
          ? Promise.reject(new DatabaseError('bigint out of range', '22003', null))
          : rig.ctx.db.inWorkspace(workspaceId, statements, options),
    }
    expect(await drain({ ...rig, ctx: { ...rig.ctx, db } })).toEqual(['failed'])
    expect(await getJob(rig.ctx, job.id)).toMatchObject({ status: 'failed', error: { code: 'internal' } })
    expect(rig.objects.stored.size).toBe(0)
  })

  it('means nothing where there is no such import', async () => {
    const rig = await makeRig(database)
    await start(rig)
    const [message] = rig.queue.sent
    const other = await makeRig(database)
    if (message === undefined) throw new Error('no message')
    const foreign = { ...message, body: { ...Object(message.body), workspaceId: other.ctx.workspace.id } }
    expect(await deliver(rig, foreign)).toBe('over')
  })
})
