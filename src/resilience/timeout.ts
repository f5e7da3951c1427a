const TIMEOUT = 'TimeoutError'

/** The links of a chain of causes that are followed. */
const MOST_CAUSES = 5

/**
 * What a promise comes to, if it comes in time; it is not stopped, only no longer waited for.
 * @throws Error named `TimeoutError` when `timeoutMs` have passed
 */
export async function within<T>(timeoutMs: number, promise: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      const error = new Error(`No answer within ${timeoutMs} ms.`)
      error.name = TIMEOUT
      reject(error)
    }, timeoutMs)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

/** Whether an error, or what it was caused by, is that no answer came in time. */
export function isTimeout(error: unknown): boolean {
  let link = error
  for (let depth = 0; depth < MOST_CAUSES && link instanceof Error; depth++) {
    if (link.name === TIMEOUT) return true
    link = link.cause
  }
  return false
}
