import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { startEmbeddedRedis } from '../embedded-redis/index.ts'

/** Which Redis a suite runs against. */
export type RedisKind = 'server' | 'embedded'

/** The search path that makes `startRedis` choose a kind. */
export const searchPathFor = (kind: RedisKind) => (kind === 'server' ? (process.env.PATH ?? '') : '')

/** A Redis at a fixed address that a test can take away and bring back. */
export interface MortalRedis {
  url: string
  port: number
  start(): Promise<void>
  /** Ends it without any farewell; nothing it held survives. */
  kill(): Promise<void>
}

const PASSWORD = 'test-password'

export async function mortalRedis(kind: RedisKind, binary: string | undefined): Promise<MortalRedis> {
  const port = await freePort()
  const url = `redis://:${PASSWORD}@127.0.0.1:${port}`
  if (kind === 'server') return { url, port, ...mortalServer(binary ?? 'redis-server', port) }
  let stop = async () => {}
  return {
    url,
    port,
    start: async () => {
      const redis = await startEmbeddedRedis({ password: PASSWORD, port })
      stop = redis.stop
    },
    kill: () => stop(),
  }
}

function mortalServer(binary: string, port: number): Pick<MortalRedis, 'start' | 'kill'> {
  let child: ChildProcess | undefined
  return {
    start: async () => {
      child = spawn(binary, ['-'], { stdio: ['pipe', 'pipe', 'ignore'] })
      const configuration = [`port ${port}`, 'bind 127.0.0.1', `requirepass ${PASSWORD}`, 'save ""', '']
      child.stdin?.end(configuration.join('\n'))
      await lineWith(child, 'Ready to accept connections')
    },
    kill: async () => {
      if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
      const exited = once(child, 'exit')
      child.kill('SIGKILL')
      await exited
    },
  }
}

async function lineWith(child: ChildProcess, text: string): Promise<void> {
  let printed = ''
  for await (const chunk of child.stdout ?? []) {
    printed += String(chunk)
    if (printed.includes(text)) return
  }
  throw new Error(`The Redis server ended early: ${printed}`)
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('No port')
  return address.port
}
