import type { Platform } from '../domain/platforms.ts'

/** One hash slot for all, as a call is taken from several keys at once. */
export const GATE_PREFIX = 'tm:{gate}'

/** Where the gate keeps what all isolates share. */
export function gateKeys(prefix: string) {
  return {
    /** Hash: what operators have stopped → since when. */
    paused: `${prefix}:paused`,
    /** Sorted sets of names by their last use. */
    breakers: `${prefix}:breakers`,
    allowances: `${prefix}:allowances`,
    breaker: (name: string) => `${prefix}:breaker:${name}`,
    allowance: (ruleKey: string) => `${prefix}:allowance:${ruleKey}`,
    /** Hash: workspace → what it spent in a UTC day, reservations included. */
    money: (platform: Platform, dayStartMs: number) => `${prefix}:money:${platform}:${dayStartMs}`,
    /** Set: what a platform has charged for in a UTC day. */
    paid: (platform: Platform, dayStartMs: number) => `${prefix}:paid:${platform}:${dayStartMs}`,
  }
}

/** The circuit breaker that a call passes: its instance's, or else its platform's. */
export function breakerName({ platform, server }: { platform: Platform; server: string | null }): string {
  return server === null ? platform : `${platform}:${server}`
}
