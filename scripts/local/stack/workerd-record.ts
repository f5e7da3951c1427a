import { execFile } from 'node:child_process'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { z } from 'zod'

/** The record's name in the Worker's directory. */
export const WORKERD_RECORD = 'workerd.json'

/** A running workerd. Its arguments name a port that is its own, so they tell it from a later process. */
const WorkerdRecord = z.object({ pid: z.int().positive(), args: z.array(z.string()).min(2) })
type WorkerdRecord = z.infer<typeof WorkerdRecord>

/** How long the process around an orphan may take to notice that nobody wants it any more. */
const GRACE_MS = 1_500
const KILL_TIMEOUT_MS = 5_000
const POLL_MS = 25

export function writeWorkerdRecord(file: string, record: WorkerdRecord): void {
  writeFileSync(file, JSON.stringify(record))
}

export function removeWorkerdRecord(file: string): void {
  rmSync(file, { force: true })
}

/**
 * Makes sure that no workerd of an earlier start is left: it does not notice when those who started it are
 * killed, and keeps its port and its files. To be called only by who holds the directory's lock.
 * @param graceMs how long it may take to end by itself
 * @returns whether one was still running.
 * @throws when it cannot be killed.
 */
export async function stopOrphanWorkerd(file: string, graceMs = GRACE_MS): Promise<boolean> {
  const record = readRecord(file)
  if (record === null || !(await isRecorded(record))) {
    removeWorkerdRecord(file)
    return false
  }
  if (!(await endsWithin(record.pid, graceMs))) process.kill(record.pid, 'SIGKILL')
  if (!(await endsWithin(record.pid, KILL_TIMEOUT_MS)))
    throw new Error(`Process ${record.pid}, a workerd that an earlier start left behind, cannot be stopped`)
  removeWorkerdRecord(file)
  return true
}

async function endsWithin(pid: number, timeoutMs: number): Promise<boolean> {
  const deadline = Date.now() + timeoutMs
  do {
    if (!isAlive(pid)) return true
    await sleep(POLL_MS)
  } while (Date.now() < deadline)
  return false
}

/** Whether the process is the recorded one, and not another that has got its number. */
async function isRecorded({ pid, args }: WorkerdRecord): Promise<boolean> {
  if (process.platform === 'linux') {
    const text = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
    return text === `${args.join('\0')}\0`
  }
  const { stdout } = await promisify(execFile)('ps', ['-ww', '-o', 'args=', '-p', String(pid)]).catch(() => ({
    stdout: '',
  }))
  return stdout.trim() === args.join(' ')
}

/** Holds its port and its files until it is gone altogether; a zombie holds nothing any more. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return process.platform !== 'linux' || !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

function readRecord(file: string): WorkerdRecord | null {
  try {
    return WorkerdRecord.parse(JSON.parse(readFileSync(file, 'utf8')))
  } catch {
    return null
  }
}
