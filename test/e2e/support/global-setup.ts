import type { TestProject } from 'vitest/node'
import { z } from 'zod'
import { startStack } from '../../harness/stack.ts'
import { serveRemote, type WorldClock } from './remote.ts'

/** What tests are told of the stack that they run against. */
export interface StackFacts {
  /** Where the Worker is reached, and believes to be. */
  url: string
  /** What the queue calls: the sync Worker. */
  callbacksUrl: string
  /** The person who runs the deployment, with a key that has every scope. */
  email: string
  password: string
  apiKey: string
  workspaceId: string
  /** Where the Worker's mails are; `/mails.json` lists them, newest first. */
  mailUrl: string
  /** The simulated platforms' control interface, and what stands behind the second `@` of a handle. */
  controlUrl: string
  mastodonHost: string
  /** Whose pages may call the API beside its own. */
  partnerOrigin: string
  /** How often the Worker plans what to read. */
  syncIntervalSeconds: number
  /** What queue callbacks are signed with. */
  signingKeys: { current: string; next: string }
  /** The queue itself, as the Worker reaches it. */
  queue: { url: string; token: string }
  /** A ticket for a live connection, issued when the stack began. */
  oldTicket: { url: string; expiresAt: string }
  /** See `remote.ts`. */
  remoteUrl: string
}

declare module 'vitest' {
  interface ProvidedContext {
    /** One a worker of Vitest, in the order of their numbers. */
    stacks: StackFacts[]
  }
}

const SYNC_INTERVAL_SECONDS = 5

/** Whose pages may call the API. */
const PARTNER_ORIGIN = 'https://partner.example'

/** High enough for many tests in a row, and there all the same. */
const RATE_LIMITS = [
  'reads=6000/60',
  'writes=1200/60',
  'sign-in=20/60',
  'sign-up=20/60',
  'imports=200/3600',
  'mails=200/3600',
].join(',')

/** Starts a stack for each worker: its files have it one after the other, and no other worker's. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const stacks: SharedStack[] = []
  const stop = async () => {
    await Promise.all(stacks.map((stack) => stack.stop()))
  }
  try {
    // One after the other: a free port is free until somebody else wants it, and what the first builds, others find.
    for (let worker = 1; worker <= Number(project.config.maxWorkers); worker += 1)
      stacks.push(await startSharedStack())
  } catch (error) {
    await stop()
    throw error
  }
  project.provide(
    'stacks',
    stacks.map(({ facts }) => facts),
  )
  return stop
}

interface SharedStack {
  facts: StackFacts
  stop(): Promise<void>
}

/** Starts one stack for many tests. Its simulated platforms' clock can be held; see `remote.ts`. */
async function startSharedStack(): Promise<SharedStack> {
  const clock: WorldClock = { heldAtMs: null }
  const lines: string[] = []
  const stack = await startStack({
    syncIntervalSeconds: SYNC_INTERVAL_SECONDS,
    env: { RATE_LIMITS, CORS_ORIGINS: PARTNER_ORIGIN },
    now: () => clock.heldAtMs ?? Date.now(),
    log: (line) => void lines.push(line),
  })
  const remote = await serveRemote(stack, { clock, lines })
  const { url, callbacksUrl, email, password, apiKey, workspaceId, mailUrl, platforms, bindings } = stack
  return {
    facts: {
      url,
      callbacksUrl,
      email,
      password,
      apiKey,
      workspaceId,
      mailUrl,
      controlUrl: platforms.control.url,
      mastodonHost: platforms.mastodon.host,
      partnerOrigin: PARTNER_ORIGIN,
      syncIntervalSeconds: SYNC_INTERVAL_SECONDS,
      signingKeys: {
        current: bindings.QSTASH_CURRENT_SIGNING_KEY ?? '',
        next: bindings.QSTASH_NEXT_SIGNING_KEY ?? '',
      },
      queue: { url: bindings.QSTASH_URL ?? '', token: bindings.QSTASH_TOKEN ?? '' },
      oldTicket: await issueTicket(url, apiKey),
      remoteUrl: remote.url,
    },
    async stop() {
      await remote.close()
      await stack.stop()
    },
  }
}

const Ticket = z.object({ url: z.string(), expiresAt: z.string() })

async function issueTicket(url: string, apiKey: string): Promise<z.infer<typeof Ticket>> {
  const headers = { authorization: `Bearer ${apiKey}` }
  const response = await fetch(`${url}/api/v1/realtime/tickets`, { method: 'POST', headers })
  return Ticket.parse(await response.json())
}
