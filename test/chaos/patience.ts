import { setTimeout as sleep } from 'node:timers/promises'

const PATIENCE_MS = 60_000
const AGAIN_AFTER_MS = 300

/** Does something that fails while the system is down, again and again. @throws the last failure, after a minute */
export async function patiently<T>(act: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  const deadlineMs = Date.now() + PATIENCE_MS
  for (;;) {
    try {
      return await act()
    } catch (error) {
      if (signal?.aborted || Date.now() > deadlineMs) throw error
      await sleep(AGAIN_AFTER_MS)
    }
  }
}

export interface AwaitOptions {
  timeoutMs: number
  everyMs?: number
  signal: AbortSignal
}

/** Asks until it is so. @returns whether it was, in time */
export async function awaits(isSo: () => Promise<boolean>, options: AwaitOptions): Promise<boolean> {
  const { timeoutMs, everyMs = 1_000, signal } = options
  const deadlineMs = Date.now() + timeoutMs
  for (;;) {
    if (await isSo()) return true
    if (Date.now() > deadlineMs) return false
    await sleep(everyMs, undefined, { signal })
  }
}

/** Does something now and then until the signal says otherwise, with as much time in between as is answered. */
export async function nowAndThen(
  signal: AbortSignal,
  waitMs: () => number,
  act: () => Promise<void>,
): Promise<void> {
  while (!signal.aborted) {
    await sleep(waitMs(), undefined, { signal }).catch(() => {})
    if (!signal.aborted) await act()
  }
}

/** Waits for what cannot be hurried, unless nobody wants it any more. @throws the signal's reason */
export async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted()
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const giveUp = () => reject(signal.reason)
  signal.addEventListener('abort', giveUp, { once: true })
  try {
    return await Promise.race([work, aborted])
  } finally {
    signal.removeEventListener('abort', giveUp)
  }
}
