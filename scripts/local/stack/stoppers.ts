/** What has been started, to be stopped in the opposite order. */
export interface Stoppers {
  add(name: string, stop: () => Promise<void> | void): void
  /** Stops everything, each after the one that uses it; a failure does not keep the others. May be called twice. */
  stop(): Promise<void>
}

/** @param log told of what would not stop in order */
export function createStoppers(log: (line: string) => void): Stoppers {
  const started: { name: string; stop: () => Promise<void> | void }[] = []
  let stopped: Promise<void> | undefined
  const stopAll = async (): Promise<void> => {
    for (let last = started.pop(); last !== undefined; last = started.pop()) {
      try {
        await last.stop()
      } catch (error) {
        log(`${last.name} did not stop in order: ${error instanceof Error ? error.message : String(error)}`)
      }
    }
  }
  return {
    add: (name, stop) => void started.push({ name, stop }),
    stop: () => {
      stopped ??= stopAll()
      return stopped
    },
  }
}
