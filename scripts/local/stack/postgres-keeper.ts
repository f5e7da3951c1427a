import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'
import { type Postgres, startPostgres } from '../postgres.ts'

export interface KeeperOptions {
  dataDir: string
  port: number
  log: (line: string) => void
  /** Called once, when Postgres is gone for good. */
  onFailure: (error: Error) => void
  /** How long an outage lasts before Postgres is started again. */
  restartDelayMs?: number
}

export interface KeptPostgres {
  host: string
  port: number
  adminUrl: string
  /**
   * Kills Postgres as the system might, and starts it again after `downMs`; resolves when it answers.
   * @throws when it does not start again.
   */
  kill(downMs: number): Promise<void>
  stop(): Promise<void>
}

/** Late enough for an outage to be noticed, as a managed database's would. */
const RESTART_DELAY_MS = 5_000
/** A crash of one session makes Postgres end all of them and recover, without being gone itself. */
const RECOVERY_MS = 3_000
const PROBE_INTERVAL_MS = 200
/** Sessions outlive a killed main process for a moment, and a new one does not start beside them. */
const MAX_START_MS = 20_000
const MAX_RESTARTS = 3
const RESTART_WINDOW_MS = 5 * 60_000

/**
 * Starts Postgres and starts it again, on the same port, when it dies.
 * @throws when it does not start the first time.
 */
export async function keepPostgres(options: KeeperOptions): Promise<KeptPostgres> {
  const { dataDir, port, log, onFailure, restartDelayMs = RESTART_DELAY_MS } = options
  const start = () => startPostgres({ dataDir, port, log })
  let current: Postgres = await start()
  const stopping = new AbortController()
  const restarts: number[] = []
  /** Until a Postgres that was killed on demand runs again, it is nobody else's to start. */
  let killing: Promise<void> | undefined

  const killAndStart = async (downMs: number): Promise<void> => {
    await current.kill()
    await sleep(downMs, undefined, { signal: stopping.signal })
    const deadlineMs = Date.now() + MAX_START_MS
    for (;;) {
      try {
        current = await start()
        return
      } catch (error) {
        if (stopping.signal.aborted || Date.now() > deadlineMs) throw error
        await sleep(PROBE_INTERVAL_MS)
      }
    }
  }

  const watch = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      await connectionLost(current.adminUrl, stopping.signal)
      await killing?.catch(() => {})
      if (stopping.signal.aborted || (await answersWithin(current.adminUrl, RECOVERY_MS))) continue
      if (stopping.signal.aborted) return
      const now = Date.now()
      restarts.push(now)
      if (restarts.filter((at) => now - at < RESTART_WINDOW_MS).length > MAX_RESTARTS)
        throw new Error('Postgres keeps dying')
      log(`Postgres is gone; starting it again in ${restartDelayMs / 1000} s`)
      await sleep(restartDelayMs, undefined, { signal: stopping.signal })
      // What is left of it, such as a process that hangs.
      await current.stop()
      current = await start()
      log('Postgres runs again')
    }
  }
  const watching = watch().catch((error: unknown) => {
    if (stopping.signal.aborted) return
    onFailure(new Error('Postgres could not be kept running', { cause: error }))
  })

  return {
    host: current.host,
    port: current.port,
    adminUrl: current.adminUrl,
    async kill(downMs) {
      await killing
      const killed = killAndStart(downMs).finally(() => {
        killing = undefined
      })
      killing = killed
      await killed
    },
    async stop() {
      stopping.abort()
      await killing?.catch(() => {})
      await watching
      await current.stop()
    },
  }
}

/** Resolves when a connection that was idle ends, could not be made, or nobody wants to know any more. */
async function connectionLost(adminUrl: string, signal: AbortSignal): Promise<void> {
  const client = new Client({ connectionString: adminUrl })
  const lost = new Promise<void>((resolve) => {
    client.once('error', () => resolve())
    client.once('end', () => resolve())
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
  try {
    await client.connect()
  } catch {
    return
  }
  if (!signal.aborted) await lost
  client.on('error', () => {})
  // Not awaited: a server that hangs does not answer that either.
  client.end().catch(() => {})
}

async function answersWithin(adminUrl: string, timeoutMs: number): Promise<boolean> {
  const deadline = Date.now() + timeoutMs
  while (Date.now() < deadline) {
    const client = new Client({ connectionString: adminUrl, connectionTimeoutMillis: timeoutMs })
    client.on('error', () => {})
    try {
      await client.connect()
      await client.end()
      return true
    } catch {
      await sleep(PROBE_INTERVAL_MS)
    }
  }
  return false
}
