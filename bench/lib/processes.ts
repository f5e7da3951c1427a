import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { z } from 'zod'

const BYTES_PER_KB = 1_024

/** Memory of a process that is in RAM, in bytes; `null` where the system does not say. */
export async function residentBytes(pid: number): Promise<number | null> {
  try {
    const { stdout } = await promisify(execFile)('ps', ['-o', 'rss=', '-p', String(pid)])
    const kilobytes = Number(stdout.trim())
    return kilobytes > 0 ? kilobytes * BYTES_PER_KB : null
  } catch {
    return null
  }
}

const Report = z.object({
  userLimits: z.object({ open_files: z.object({ soft: z.union([z.number(), z.string()]) }) }),
})

/** Files and sockets that a process may have open; infinite where the system does not say. */
export function descriptorLimit(): number {
  const { success, data } = Report.safeParse(process.report?.getReport())
  const soft = success ? Number(data.userLimits.open_files.soft) : Number.NaN
  return Number.isNaN(soft) ? Number.POSITIVE_INFINITY : soft
}

const Stat = /\) \S(?: \S+){10} (\d+) (\d+) /
/** Linux counts in hundredths of a second, whatever the processor. */
const MS_PER_TICK = 10

/** Processor time that a process has used, in milliseconds; `null` elsewhere than on Linux. */
export async function processorMs(pid: number): Promise<number | null> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  const [, user, system] = Stat.exec(stat) ?? []
  return user === undefined ? null : (Number(user) + Number(system)) * MS_PER_TICK
}
