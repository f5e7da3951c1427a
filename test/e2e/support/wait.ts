import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Asks again and again until there is an answer.
 * @param what for the message of a failure
 * @param ask answers `undefined` or `null` as long as there is none
 * @throws when there is none in time
 */
export async function until<T>(
  what: string,
  ask: () => Promise<T | undefined | null>,
  options: { timeoutMs?: number; everyMs?: number } = {},
): Promise<T> {
  const { timeoutMs = 30_000, everyMs = 200 } = options
  const deadline = performance.now() + timeoutMs
  for (;;) {
    const answer = await ask()
    if (answer !== undefined && answer !== null) return answer
    if (performance.now() > deadline) throw new Error(`Waited ${timeoutMs} ms in vain: ${what}`)
    await sleep(everyMs)
  }
}
