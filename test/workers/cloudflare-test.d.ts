/** The helpers of the Workers test runner that are used here. */
declare module 'cloudflare:test' {
  import type { DurableObjectState } from '@cloudflare/workers-types'

  /** Runs the callback inside the Durable Object behind the stub. */
  export function runInDurableObject<Result>(
    stub: object,
    callback: (instance: object, state: DurableObjectState) => Result | Promise<Result>,
  ): Promise<Result>
  /** Runs a pending alarm now; answers whether there was one. */
  export function runDurableObjectAlarm(stub: object): Promise<boolean>
  /** Takes the object out of memory, as the runtime does when it is idle; its sockets hibernate. */
  export function evictDurableObject(
    stub: object,
    options?: { webSockets?: 'close' | 'hibernate' },
  ): Promise<void>
}
