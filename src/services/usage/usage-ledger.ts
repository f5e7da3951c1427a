import type { UsageRow } from '../../db/queries/usage.ts'
import { apportion } from '../../domain/apportion.ts'
import type { Platform } from '../../domain/platforms.ts'
import { newId } from '../../lib/ids.ts'
import type { CallOperation } from '../../ports.ts'

/** For whom a call is made: how many of the things asked for are a workspace's. */
export interface Share {
  workspaceId: string
  items: number
}

/** A call that was made, or tried. */
export interface AccountedCall {
  platform: Platform
  host: string | null
  /** `anyone`, `app`, or `token:` and whose allowance it is. */
  credential: string
  operation: CallOperation
  shares: readonly Share[]
  items: number
  units: number
  failed: boolean
  latencyMs: number
  /** Millionths of a dollar; known a little later where reads are paid for. */
  costMicros: number | Promise<number>
}

/** Something within an answer that was not used: of a kind of trouble, not of every time that it was met. */
export interface MalformedNote {
  platform: Platform
  host: string | null
  operation: CallOperation
  /** What is wrong, for people. */
  problem: string
  /** The shape of the part, without any value. */
  shape: unknown
}

/** More kinds of trouble in one delivery are those of a platform that has changed: the first say so. */
const MOST_NOTES = 20

/**
 * Keeps account of the calls of one delivery, until what it stores takes the account along. Rows have their
 * ids from the start: a row that is written twice counts once.
 */
export class UsageLedger {
  readonly #now: () => number
  readonly #calls: AccountedCall[] = []
  #unwritten: UsageRow[] = []
  readonly #malformed = new Map<string, MalformedNote>()

  /** @param now milliseconds since 1970 */
  constructor(now: () => number) {
    this.#now = now
  }

  add(call: AccountedCall): void {
    this.#calls.push(call)
  }

  /** What is to be written: all that was added and not yet marked as written. */
  async unwritten(): Promise<readonly UsageRow[]> {
    const calls = this.#calls.splice(0)
    const costs = await Promise.all(calls.map(({ costMicros }) => costMicros))
    const rows = new Map<string, UsageRow>()
    const at = new Date(this.#now()).toISOString()
    for (const [i, call] of calls.entries()) {
      const weights = call.shares.map(({ items }) => items)
      const parts = {
        calls: apportion(1, weights),
        failures: apportion(call.failed ? 1 : 0, weights),
        items: apportion(call.items, weights),
        units: apportion(call.units, weights),
        costMicros: apportion(costs[i] ?? 0, weights),
        latencyMs: apportion(Math.round(call.latencyMs), weights),
      }
      for (const [share, { workspaceId }] of call.shares.entries()) {
        const { platform, host, credential, operation } = call
        const key = JSON.stringify([workspaceId, platform, host, credential, operation])
        const row = rows.get(key) ?? {
          ...{ id: newId(this.#now()), workspaceId, at, platform, host, credential, operation },
          ...{ calls: 0, failures: 0, items: 0, units: 0, costMicros: 0, latencyMs: 0, slowestMs: 0 },
        }
        for (const name of Object.keys(parts) as (keyof typeof parts)[]) row[name] += parts[name][share] ?? 0
        row.slowestMs = Math.max(row.slowestMs, Math.round(call.latencyMs))
        rows.set(key, row)
      }
    }
    this.#unwritten.push(...rows.values())
    return [...this.#unwritten]
  }

  /** Keeps a note of what was not used of an answer; of the same trouble once. */
  noteMalformed(note: MalformedNote): void {
    const key = JSON.stringify([note.platform, note.operation, note.problem])
    if (this.#malformed.size < MOST_NOTES) this.#malformed.set(key, note)
  }

  /** The notes since they were last taken. */
  takeMalformed(): MalformedNote[] {
    const notes = [...this.#malformed.values()]
    this.#malformed.clear()
    return notes
  }

  /** Says that these are in the database. */
  written(rows: readonly UsageRow[]): void {
    const ids = new Set(rows.map(({ id }) => id))
    this.#unwritten = this.#unwritten.filter(({ id }) => !ids.has(id))
  }
}
