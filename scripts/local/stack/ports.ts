import { createHash } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { PLATFORMS } from '../../../src/domain/platforms.ts'
import { listen, sendJson } from '../lib/http-server.ts'

/** What the Worker talks to, and what stands beside it, each on a port of its own. */
const NAMES = ['postgres', 'neon', 'redis', 'qstash', 'mail', 'control', ...PLATFORMS] as const
/** What came later has a file of its own: with it in the first, older versions could not read that. */
const LATER_NAMES = ['sync', 'objects'] as const
const ALL_NAMES = [...NAMES, ...LATER_NAMES] as const
type PortName = (typeof ALL_NAMES)[number]
export type Ports = Record<PortName, number>

const Port = z.int().min(1).max(65_535)
const KeptPorts = z.partialRecord(z.enum(NAMES), Port)
const KeptLaterPorts = z.partialRecord(z.enum(LATER_NAMES), Port)

const HOST = '127.0.0.1'
const POLL_MS = 50

/** Below the ports that systems hand out to outgoing connections, so that nobody takes one by chance. */
const LOWEST_PORT = 18_000
const PORT_RANGES = 500
const PORTS_IN_RANGE = 20

/** Something else is listening on the port. */
export class PortTakenError extends Error {
  readonly port: number

  constructor(port: number) {
    super(`Port ${port} is in use by another program. Choose another one: PORT=${port + 1} npm start`)
    this.name = 'PortTakenError'
    this.port = port
  }
}

export interface StablePortsOptions {
  /** Where they are kept. */
  file: string
  laterFile: string
  /** Left to the Worker. */
  workerPort: number
  /** Told of ports that had to change. */
  log: (line: string) => void
}

/**
 * Chooses ports for the stand-ins: those of the last start wherever they are free, since addresses of
 * accounts contain them.
 */
export async function chooseStablePorts(options: StablePortsOptions): Promise<Ports> {
  const { file, laterFile, workerPort, log } = options
  const first = KeptPorts.catch({}).parse(await readJson(file))
  const later = KeptLaterPorts.catch({}).parse(await readJson(laterFile))
  const kept: Partial<Ports> = { ...first, ...later }
  const reserved = new Set([workerPort, ...Object.values(kept)])
  let candidate = firstCandidate(file)
  const ports = await takePorts(async (name) => {
    const before = kept[name]
    const same = before === undefined || before === workerPort ? undefined : await tryListen(before)
    if (same !== undefined) return same
    if (before !== undefined) log(movedLine(name, before))
    for (; ; candidate += 1) {
      const probe = reserved.has(candidate) ? undefined : await tryListen(candidate)
      if (probe !== undefined) return probe
    }
  })
  // One that is taken today may be free again tomorrow.
  const { sync, objects, ...others } = ports
  await writeFile(file, JSON.stringify({ ...others, ...first }))
  await writeFile(laterFile, JSON.stringify({ sync, objects, ...later }))
  return ports
}

/** Each place its own, so that two stacks that start at the same time do not want the same ports. */
function firstCandidate(file: string): number {
  const hash = createHash('sha256').update(resolve(file)).digest().readUInt32BE()
  return LOWEST_PORT + (hash % PORT_RANGES) * PORTS_IN_RANGE
}

/** Chooses any free ports, for a stack that is thrown away. */
export async function chooseFreePorts(): Promise<Ports> {
  return takePorts(async () => {
    const probe = await tryListen(0)
    if (probe === undefined) throw new Error(`Nothing can listen on ${HOST}`)
    return probe
  })
}

/**
 * Makes sure that a port can be had; 0 finds any.
 * @param patienceMs how long it may take to become free
 * @throws PortTakenError
 */
export async function claimPort(port: number, patienceMs = 0): Promise<number> {
  const deadline = Date.now() + patienceMs
  let probe = await tryListen(port)
  while (probe === undefined && Date.now() < deadline) {
    await sleep(POLL_MS)
    probe = await tryListen(port)
  }
  if (probe === undefined) throw new PortTakenError(port)
  const claimed = portOf(probe)
  await close(probe)
  return claimed
}

/**
 * Keeps a port for something that starts later; until then, whoever calls is told to try again.
 * @returns lets go of it
 * @throws PortTakenError
 */
export async function reservePort(port: number): Promise<() => Promise<void>> {
  const server = await listen(
    (_, res) => sendJson(res, 503, { error: 'not started yet' }, { 'retry-after': '1' }),
    { port },
  ).catch(() => {
    throw new PortTakenError(port)
  })
  return () => server.close()
}

/** Holds all of them until the last is chosen, so that none is chosen twice. */
async function takePorts(take: (name: PortName) => Promise<Server>): Promise<Ports> {
  const ports: [PortName, number][] = []
  const held: Server[] = []
  try {
    for (const name of ALL_NAMES) {
      const probe = await take(name)
      held.push(probe)
      ports.push([name, portOf(probe)])
    }
    return everyPort(ports)
  } finally {
    await Promise.all(held.map(close))
  }
}

/** One for each name: `Object.fromEntries` does not say so. */
function everyPort(ports: [PortName, number][]): Ports {
  return Object.fromEntries(ports) as Ports
}

function movedLine(name: PortName, port: number): string {
  const consequence =
    name === 'mastodon'
      ? 'simulated Mastodon accounts connected before cannot be reached until it is free again'
      : 'another one is used'
  return `Port ${port} (${name}) is in use by another program: ${consequence}`
}

/** Listens on a port; `undefined` where somebody else does, or this user may not. */
function tryListen(port: number): Promise<Server | undefined> {
  return new Promise((done) => {
    const server = createServer()
    server.once('error', () => done(undefined))
    server.listen(port, HOST, () => done(server))
  })
}

function close(server: Server): Promise<void> {
  return new Promise((done) => server.close(() => done()))
}

function portOf(server: Server): number {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('The probe has no TCP address')
  return address.port
}

async function readJson(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8'))
  } catch {
    return {}
  }
}
