import { type ChildProcess, fork } from 'node:child_process'

/** A process of one's own that answers one message at a time. */
export interface Forked {
  /** @throws when the process has ended, or ends without an answer. */
  ask(message: object): Promise<unknown>
  stop(): Promise<void>
}

const STOP_TIMEOUT_MS = 3_000

/** Starts a program that ends when its parent disconnects. */
export function forkProgram(program: URL): Forked {
  const child = fork(program, [], {
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  let waiting: { resolve: (answer: unknown) => void; reject: (error: Error) => void } | null = null
  const fail = (error: Error) => {
    waiting?.reject(error)
    waiting = null
  }
  child.on('message', (message) => {
    waiting?.resolve(message)
    waiting = null
  })
  child.on('error', fail)
  child.on('exit', (code, signal) => fail(new Error(`A helper process ended (${signal ?? `code ${code}`})`)))
  return {
    ask(message) {
      return new Promise((resolve, reject) => {
        if (waiting !== null || !child.connected) {
          reject(new Error('The helper process is busy, or gone'))
          return
        }
        waiting = { resolve, reject }
        child.send(message, (error) => {
          if (error !== null) fail(error)
        })
      })
    },
    stop: () => end(child),
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = new Promise((resolve) => child.once('exit', resolve))
  if (child.connected) child.disconnect()
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS)
  await exited
  clearTimeout(timer)
}
