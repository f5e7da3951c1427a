import { Receiver } from '@upstash/qstash'

/** Seconds that clocks may differ. */
const CLOCK_TOLERANCE = 5

/** Checks signatures of queue deliveries, made with the current key or, while keys change, the next. */
export function createSignatureCheck(keys: { current: string; next: string }) {
  const receiver = new Receiver({
    currentSigningKey: keys.current,
    nextSigningKey: keys.next,
    devMode: false,
  })
  return async (call: { signature: string; url: string; body: string }): Promise<boolean> => {
    try {
      return await receiver.verify({ ...call, clockTolerance: CLOCK_TOLERANCE })
    } catch {
      // Not only refusals: a token of another shape makes the library throw other errors.
      return false
    }
  }
}
