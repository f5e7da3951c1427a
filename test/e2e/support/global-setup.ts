import type { TestProject } from 'vitest/node'
import { startStack } from '../../harness/stack.ts'
import { serveRemote } from './remote.ts'

/** What tests are told of the stack that they share. */
export interface StackFacts {
  /** Where the Worker is reached, and believes to be. */
  url: string
  /** The person who runs the deployment, with a key that has every scope. */
  email: string
  password: string
  apiKey: string
  workspaceId: string
  /** The simulated platforms' control interface, and what stands behind the second `@` of a handle. */
  controlUrl: string
  mastodonHost: string
  /** How often the Worker plans what to read. */
  syncIntervalSeconds: number
  /** What queue callbacks are signed with. */
  signingKeys: { current: string; next: string }
  /** See `remote.ts`. */
  remoteUrl: string
}

declare module 'vitest' {
  interface ProvidedContext {
    stack: StackFacts
  }
}

const SYNC_INTERVAL_SECONDS = 5

/** High enough for many tests in a row, and there all the same. */
const RATE_LIMITS = [
  'reads=6000/60',
  'writes=1200/60',
  'sign-in=20/60',
  'sign-up=20/60',
  'imports=200/3600',
].join(',')

/** Starts one stack for all tests. Its simulated platforms' clock can be held; see `remote.ts`. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const clock = { heldAtMs: null as number | null }
  const stack = await startStack({
    syncIntervalSeconds: SYNC_INTERVAL_SECONDS,
    env: { RATE_LIMITS },
    now: () => clock.heldAtMs ?? Date.now(),
  })
  const remote = await serveRemote(stack, clock)
  const { url, email, password, apiKey, workspaceId, platforms, bindings } = stack
  project.provide('stack', {
    url,
    email,
    password,
    apiKey,
    workspaceId,
    controlUrl: platforms.control.url,
    mastodonHost: platforms.mastodon.host,
    syncIntervalSeconds: SYNC_INTERVAL_SECONDS,
    signingKeys: {
      current: bindings.QSTASH_CURRENT_SIGNING_KEY ?? '',
      next: bindings.QSTASH_NEXT_SIGNING_KEY ?? '',
    },
    remoteUrl: remote.url,
  })
  return async () => {
    await remote.close()
    await stack.stop()
  }
}
