import { member, NOWHERE } from '../../../test/harness/actors.ts'
import type { TestDatabase } from '../../../test/harness/database.ts'
import { noCalls, quietDeps } from '../../../test/harness/deps.ts'
import { makeWorkspace } from '../../../test/harness/factories.ts'
import type { LiveEvent, ObjectStore, Queue, QueueMessage } from '../../ports.ts'
import type { ServiceContext } from '../context.ts'
import { getImport } from './get-import.ts'
import { ProcessImportMessage } from './messages.ts'
import { processImport } from './process-import.ts'
import type { ImportReport } from './schemas.ts'
import { type StartImport, startImport } from './start-import.ts'

export const STARTED_AT = '2026-03-10T12:00:00.000Z'

/** Objects in memory, as strict as R2: a range has to begin before the object's end. */
export class MemoryObjects implements ObjectStore {
  readonly stored = new Map<string, Uint8Array>()

  async put(key: string, body: ReadableStream<Uint8Array> | Uint8Array): Promise<{ size: number }> {
    const pieces: Uint8Array[] = []
    if (body instanceof Uint8Array) pieces.push(body)
    else for await (const piece of body) pieces.push(piece)
    const bytes = Buffer.concat(pieces)
    this.stored.set(key, bytes)
    return { size: bytes.byteLength }
  }

  async getRange(key: string, offset: number, length: number): Promise<Uint8Array | null> {
    const bytes = this.stored.get(key)
    if (bytes === undefined) return null
    if (offset >= bytes.byteLength) throw new RangeError(`the object ends at ${bytes.byteLength}`)
    return bytes.slice(offset, offset + length)
  }

  async delete(key: string): Promise<void> {
    this.stored.delete(key)
  }
}

/** Keeps messages until a test delivers them, and drops repeated ones as the real queue does. */
export class RecordingQueue implements Queue {
  readonly sent: QueueMessage[] = []
  readonly waiting: QueueMessage[] = []
  readonly #seen = new Set<string>()

  async publish(messages: QueueMessage[]): Promise<void> {
    for (const message of messages) {
      const id = message.deduplicationId
      if (id !== undefined && this.#seen.has(id)) continue
      if (id !== undefined) this.#seen.add(id)
      this.sent.push(message)
      this.waiting.push(message)
    }
  }
}

export interface Rig {
  ctx: ServiceContext
  objects: MemoryObjects
  queue: RecordingQueue
  announced: LiveEvent[]
  /** What the clock shows; tests move it. */
  time: { nowMs: number }
}

/** A workspace of its own, and everything that imports need around it. */
export async function makeRig(
  database: TestDatabase,
  options: { timezone?: string; workspaceId?: string } = {},
): Promise<Rig> {
  const timezone = options.timezone ?? 'UTC'
  const id = options.workspaceId ?? (await makeWorkspace(database, timezone))
  const objects = new MemoryObjects()
  const queue = new RecordingQueue()
  const announced: LiveEvent[] = []
  const time = { nowMs: Date.parse(STARTED_AT) }
  const quiet = quietDeps(database.db)
  const unused = () => Promise.reject(new Error('imports call no platform'))
  const ctx: ServiceContext = {
    ...quiet,
    hub: { ...quiet.hub, announce: async (_workspaceId, events) => void announced.push(...events) },
    objects,
    queue,
    connectors: async () => ({}),
    fetchFor: () => unused,
    ...noCalls(),
    watchList: { mark: async () => {}, list: async () => [] },
    clock: { now: () => time.nowMs },
    vault: null,
    mailer: null,
    publicUrl: 'https://tidemark.example',
    syncIntervalSeconds: 60,
    workspace: { id, timezone },
    actor: member('analyst', { userId: 'somebody' }),
    origin: NOWHERE,
    requestId: 'test',
  }
  return { ctx, objects, queue, announced, time }
}

/** Makes every delivery take in one range alone. */
export function oneRangeADelivery(rig: Rig): Rig {
  const objects: ObjectStore = {
    put: (key, body) => rig.objects.put(key, body),
    delete: (key) => rig.objects.delete(key),
    async getRange(key, offset, length) {
      rig.time.nowMs += 11_000
      return rig.objects.getRange(key, offset, length)
    },
  }
  return { ...rig, ctx: { ...rig.ctx, objects } }
}

export const deliver = (rig: Rig, message: QueueMessage) =>
  processImport(rig.ctx, ProcessImportMessage.parse(message.body))

/** Delivers what waits, one after the other, until nothing does. */
export async function drain(rig: Rig): Promise<string[]> {
  const outcomes: string[] = []
  for (let message = rig.queue.waiting.shift(); message !== undefined; message = rig.queue.waiting.shift())
    outcomes.push(await deliver(rig, message))
  return outcomes
}

/** A body that arrives in pieces. */
export function streamOf(file: string | Uint8Array, pieceBytes = 65_536): ReadableStream<Uint8Array> {
  const bytes = typeof file === 'string' ? new TextEncoder().encode(file) : file
  let from = 0
  return new ReadableStream({
    pull(controller) {
      if (from >= bytes.byteLength) return controller.close()
      controller.enqueue(bytes.slice(from, from + pieceBytes))
      from += pieceBytes
    },
  })
}

/** Lines of CSV, every cell quoted. */
export function csv(...rows: (string | number | null)[][]): string {
  return rows
    .map(
      (row) =>
        `${row.map((cell) => (cell === null ? '' : `"${String(cell).replaceAll('"', '""')}"`)).join(',')}\r\n`,
    )
    .join('')
}

/** Imports a file and answers its report. */
export async function importFile(rig: Rig, file: string | Uint8Array, given: Partial<StartImport> = {}) {
  const job = await startImport(rig.ctx, {
    platform: 'x',
    handle: 'example',
    format: 'csv',
    ...given,
    body: streamOf(file),
  })
  await drain(rig)
  return getImport(rig.ctx, job.id)
}

/** What a report counts. */
export const countsOf = (report: ImportReport) => {
  const { status, accepted, inserted, updated, unchanged, rejected } = report
  return { status, accepted, inserted, updated, unchanged, rejected }
}

/** Columns of the workspace's posts `p` (and accounts `a`), by the platform's ids. */
export const postsOf = (database: TestDatabase, rig: Rig, columns: string) =>
  database.sql(
    `SELECT ${columns} FROM posts p JOIN accounts a ON a.id = p.account_id WHERE p.workspace_id = $1
     ORDER BY platform_post_id`,
    [rig.ctx.workspace.id],
  )
