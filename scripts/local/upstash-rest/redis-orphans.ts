import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { z } from 'zod'
import { examine, type ServerRecord, signalAndWait, TEMPORARY_PREFIX } from './redis-ownership.ts'

const RECORD_NAME = 'redis-server.json'
/** A server of this age has been claimed by its parent's connection, or has no parent. */
const CLAIM_TIME_MS = 10_000

const recordSchema = z.object({ pid: z.int().positive(), socketPath: z.string() })

export function writeRecord(homeDir: string, record: ServerRecord): void {
  writeFileSync(join(homeDir, RECORD_NAME), JSON.stringify(record), { mode: 0o600 })
}

export function removeRecord(homeDir: string): void {
  rmSync(join(homeDir, RECORD_NAME), { force: true })
}

/**
 * Stops the server that a killed parent left behind on these data, if there is one.
 * @throws Error when its parent is still running.
 */
export async function stopOrphan(homeDir: string, log: (message: string) => void): Promise<void> {
  const record = readRecord(homeDir)
  if (record === undefined) return
  const ownership = await examine(record)
  if (ownership === 'owned') {
    throw new Error(
      `Another local stack is running on ${homeDir} (its redis-server is process ${record.pid})`,
    )
  }
  if (ownership === 'orphan') {
    log(`Stopping redis-server ${record.pid}, which an earlier start left behind`)
    await signalAndWait(record.pid)
  }
  removeRecord(homeDir)
  const runDir = dirname(record.socketPath)
  if (basename(runDir).startsWith(TEMPORARY_PREFIX)) await rm(runDir, { recursive: true, force: true })
}

/** The same for servers without kept data, whose records lie beside their sockets. */
export async function stopTemporaryOrphans(log: (message: string) => void): Promise<void> {
  for (const name of readdirSync(tmpdir()).filter((entry) => entry.startsWith(TEMPORARY_PREFIX))) {
    const runDir = join(tmpdir(), name)
    if (!isMineAndSettled(runDir)) continue
    // One that is in use stays.
    await stopOrphan(runDir, log).catch(() => {})
  }
}

/** Another user's record could name any process. */
function isMineAndSettled(runDir: string): boolean {
  const record = statSync(join(runDir, RECORD_NAME), { throwIfNoEntry: false })
  if (record === undefined) return false
  return record.uid === process.getuid?.() && Date.now() - record.mtimeMs > CLAIM_TIME_MS
}

function readRecord(homeDir: string): ServerRecord | undefined {
  let text: string
  try {
    text = readFileSync(join(homeDir, RECORD_NAME), 'utf8')
  } catch {
    return undefined
  }
  const parsed = recordSchema.safeParse(parseJson(text))
  return parsed.success ? parsed.data : undefined
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
