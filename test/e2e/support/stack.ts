import { inject } from 'vitest'
import { z } from 'zod'
import { signDelivery } from '../../../scripts/local/qstash/signing.ts'
import type { StackFacts } from './global-setup.ts'

/** What the tests' process does with the stack that `global-setup.ts` has started. */

export const stack = stackOfWorker(Number(process.env.VITEST_POOL_ID))

/** The stack of the worker that this file runs in; Vitest counts them from 1, and no two with a number at once. */
function stackOfWorker(worker: number): StackFacts {
  const facts = inject('stacks')[worker - 1]
  if (facts === undefined) throw new Error(`There is no stack for the worker ${worker}`)
  return facts
}

/** Rows of plain SQL as the owner, who sees every workspace. Numbers beyond 32 bits come as text: cast them. */
export async function sql<R extends object>(text: string, params: unknown[] = []): Promise<R[]> {
  return rowsOf<R>(await remote('/sql', { text, params }))
}

/** The caller's statement says what its rows look like. */
function rowsOf<R>(value: unknown): R[] {
  return value as R[]
}

/** The one row of a statement that has one. */
export async function sqlRow<R extends object>(text: string, params: unknown[] = []): Promise<R> {
  const [row] = await sql<R>(text, params)
  if (row === undefined) throw new Error(`No row: ${text}`)
  return row
}

/**
 * SIGKILL of the workerd that people ask; resolves when it serves again. The sixth within a minute waits until it
 * is over.
 */
export async function killWorker(): Promise<void> {
  await remote('/kill-worker')
}

/** The same of the workerd that the queue calls, whose kills are counted by themselves. */
export async function killSync(): Promise<void> {
  await remote('/kill-sync')
}

/** SIGKILL of Postgres or Redis, which is away for so long; resolves when it answers again. */
export async function kill(what: 'postgres' | 'redis', downMs: number): Promise<void> {
  await remote(`/kill-${what}`, { downMs })
}

/** Resolves when the queue has nothing to deliver; messages whose time is yet to come do not count. */
export async function queueIdle(): Promise<void> {
  await remote('/queue-idle')
}

/** What the stack has told so far; of the Worker's log, warnings and errors. */
export async function logLines(): Promise<string[]> {
  return z.array(z.string()).parse(await remote('/log'))
}

/** Holds the simulated platforms' clock: from then on only interventions change their figures. */
export async function holdWorld(): Promise<void> {
  await remote('/clock', { held: true })
}

/** Lets the clock run again, from the real time. */
export async function releaseWorld(): Promise<void> {
  await remote('/clock', { held: false })
}

/**
 * Calls a callback as the queue does.
 * @param options.key what to sign with; the current key by default
 * @param options.origin whom to call; the sync Worker by default
 * @param options.signedFor the origin that the signature names, where it is another one
 */
export function callBack(
  path: string,
  body: unknown,
  options: { key?: string; origin?: string; signedFor?: string } = {},
): Promise<Response> {
  const { key = stack.signingKeys.current, origin = stack.callbacksUrl, signedFor = origin } = options
  const text = JSON.stringify(body)
  const signature = signDelivery({
    url: `${signedFor}${path}`,
    body: Buffer.from(text),
    key,
    nowMs: Date.now(),
  })
  return fetch(`${origin}${path}`, {
    method: 'POST',
    body: text,
    headers: { 'content-type': 'application/json', 'upstash-signature': signature },
  })
}

/** Begins the plans of a minute at once, where the schedule would wait for the minute to begin. */
export async function startPlanning(): Promise<void> {
  const response = await callBack('/callbacks/sync/plan', {})
  if (!response.ok) throw new Error(`plan: ${response.status} ${await response.text()}`)
}

async function remote(path: string, body: unknown = {}): Promise<unknown> {
  const response = await fetch(stack.remoteUrl + path, { method: 'POST', body: JSON.stringify(body) })
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
  return response.json()
}
