import { execFile } from 'node:child_process'
import { availableParallelism, cpus, loadavg, platform, release, totalmem } from 'node:os'
import { promisify } from 'node:util'
import { VERSION } from '../../src/version.ts'

/** Where and of what something was measured. */
export interface MachineFacts {
  cpu: string
  cores: number
  memoryGb: number
  system: string
  node: string
  version: string
  /** `unknown` outside a checkout; `+` behind it means that files had been changed. */
  commit: string
}

export async function machineFacts(): Promise<MachineFacts> {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryGb: Math.round(totalmem() / 1024 ** 3),
    system: `${platform()} ${release()}`,
    node: process.version,
    version: VERSION,
    commit: await describeCommit(),
  }
}

/** Runnable processes a core, over the last minute: above 1, others want the machine too. */
export function loadPerCore(): number {
  return (loadavg()[0] ?? 0) / availableParallelism()
}

async function describeCommit(): Promise<string> {
  const git = async (...args: string[]) =>
    (await promisify(execFile)('git', args, { cwd: import.meta.dirname })).stdout.trim()
  try {
    const [commit, changes] = await Promise.all([
      git('rev-parse', '--short', 'HEAD'),
      git('status', '--porcelain'),
    ])
    return changes === '' ? commit : `${commit}+`
  } catch {
    return 'unknown'
  }
}
