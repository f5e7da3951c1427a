import { Worker } from 'node:worker_threads'
import type { Platform } from '../../../src/domain/platforms.ts'
import { FromSeedThread, type SeedTask } from './seed-thread.ts'

/** What each thread reads, about as much work for one as for the other: a small machine has two cores. */
const PARTS: readonly (readonly Platform[])[] = [
  ['bluesky', 'x', 'youtube', 'linkedin', 'reddit'],
  ['mastodon', 'threads', 'instagram', 'facebook', 'tiktok'],
]

const PROGRAM = new URL('./seed-thread.ts', import.meta.url)

/**
 * Makes the history of all platforms of a task, in threads of their own.
 * @param onProgress told how far the slowest is
 * @returns how many accounts were connected
 */
export async function seedInThreads(task: SeedTask, onProgress: (percent: number) => void): Promise<number> {
  const parts = PARTS.map((part) => part.filter((platform) => task.platforms.includes(platform))).filter(
    (platforms) => platforms.length > 0,
  )
  const percents = parts.map(() => -1)
  const counts = await Promise.all(
    parts.map((platforms, i) =>
      runThread({ ...task, platforms }, (percent) => {
        const before = Math.min(...percents)
        percents[i] = percent
        const now = Math.min(...percents)
        if (now > before) onProgress(now)
      }),
    ),
  )
  return counts.reduce((sum, count) => sum + count, 0)
}

function runThread(task: SeedTask, onProgress: (percent: number) => void): Promise<number> {
  return new Promise((resolve, reject) => {
    const thread = new Worker(PROGRAM, { workerData: task })
    thread.on('message', (data: unknown) => {
      const message = FromSeedThread.parse(data)
      if (message.type === 'progress') onProgress(message.percent)
      else resolve(message.accounts)
    })
    thread.once('error', reject)
    thread.once('exit', (code) => reject(new Error(`A thread that makes the history ended (code ${code})`)))
  })
}
