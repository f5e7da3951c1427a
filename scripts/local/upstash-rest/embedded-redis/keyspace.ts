import { wrongType } from './reply.ts'
import { SortedSet } from './sorted-set.ts'

interface ValueOf {
  string: string
  hash: Map<string, string>
  list: string[]
  set: Set<string>
  zset: SortedSet
}

export type ValueType = keyof ValueOf

type Value = { [Type in ValueType]: { type: Type; data: ValueOf[Type] } }[ValueType]

interface Entry {
  value: Value
  expiresAtMs: number | undefined
}

/** How many keys one sweep looks at, so that a large keyspace never stalls commands. */
const SWEEP_BUDGET = 20_000

/**
 * The keys, their typed values and their expiry. A container that has become empty is no key any more:
 * whoever removes from one calls `dropIfEmpty`.
 */
export class Keyspace {
  readonly #entries = new Map<string, Entry>()
  readonly #nowMs: () => number
  #sweep: Iterator<[string, Entry]> | undefined

  constructor(nowMs: () => number = Date.now) {
    this.#nowMs = nowMs
  }

  get nowMs(): number {
    return this.#nowMs()
  }

  type(key: string): ValueType | undefined {
    return this.#live(key)?.value.type
  }

  has(key: string): boolean {
    return this.#live(key) !== undefined
  }

  /** @throws CommandError WRONGTYPE, as all typed getters do. */
  string(key: string): string | undefined {
    const value = this.#live(key)?.value
    if (value === undefined) return undefined
    if (value.type !== 'string') throw wrongType()
    return value.data
  }

  hash(key: string): ValueOf['hash'] | undefined {
    const value = this.#live(key)?.value
    if (value === undefined) return undefined
    if (value.type !== 'hash') throw wrongType()
    return value.data
  }

  list(key: string): ValueOf['list'] | undefined {
    const value = this.#live(key)?.value
    if (value === undefined) return undefined
    if (value.type !== 'list') throw wrongType()
    return value.data
  }

  set(key: string): ValueOf['set'] | undefined {
    const value = this.#live(key)?.value
    if (value === undefined) return undefined
    if (value.type !== 'set') throw wrongType()
    return value.data
  }

  sortedSet(key: string): SortedSet | undefined {
    const value = this.#live(key)?.value
    if (value === undefined) return undefined
    if (value.type !== 'zset') throw wrongType()
    return value.data
  }

  /** Stores a string and forgets the key's expiry, unless it is to be kept. */
  putString(key: string, data: string, options: { keepExpiry?: boolean; expiresAtMs?: number } = {}): void {
    const expiresAtMs = options.keepExpiry ? this.#live(key)?.expiresAtMs : options.expiresAtMs
    this.#entries.set(key, { value: { type: 'string', data }, expiresAtMs })
  }

  hashForWrite(key: string): ValueOf['hash'] {
    const existing = this.hash(key)
    if (existing) return existing
    const data = new Map<string, string>()
    this.#entries.set(key, { value: { type: 'hash', data }, expiresAtMs: undefined })
    return data
  }

  listForWrite(key: string): ValueOf['list'] {
    const existing = this.list(key)
    if (existing) return existing
    const data: string[] = []
    this.#entries.set(key, { value: { type: 'list', data }, expiresAtMs: undefined })
    return data
  }

  setForWrite(key: string): ValueOf['set'] {
    const existing = this.set(key)
    if (existing) return existing
    const data = new Set<string>()
    this.#entries.set(key, { value: { type: 'set', data }, expiresAtMs: undefined })
    return data
  }

  sortedSetForWrite(key: string): SortedSet {
    const existing = this.sortedSet(key)
    if (existing) return existing
    const data = new SortedSet()
    this.#entries.set(key, { value: { type: 'zset', data }, expiresAtMs: undefined })
    return data
  }

  dropIfEmpty(key: string): void {
    const value = this.#entries.get(key)?.value
    if (value === undefined || value.type === 'string') return
    const size = value.type === 'list' ? value.data.length : value.data.size
    if (size === 0) this.#entries.delete(key)
  }

  delete(key: string): boolean {
    const existed = this.has(key)
    this.#entries.delete(key)
    return existed
  }

  /** Gives a key another name, with its expiry; whatever had that name before is gone. */
  rename(from: string, to: string): boolean {
    const entry = this.#live(from)
    if (entry === undefined) return false
    this.#entries.delete(from)
    this.#entries.set(to, entry)
    return true
  }

  copy(from: string, to: string): boolean {
    const entry = this.#live(from)
    if (entry === undefined) return false
    this.#entries.set(to, { value: copyOf(entry.value), expiresAtMs: entry.expiresAtMs })
    return true
  }

  /** undefined: no such key; null: never expires. */
  expiresAtMs(key: string): number | null | undefined {
    const entry = this.#live(key)
    return entry === undefined ? undefined : (entry.expiresAtMs ?? null)
  }

  /** A time that is past deletes the key. */
  setExpiry(key: string, expiresAtMs: number | null): void {
    const entry = this.#live(key)
    if (entry === undefined) return
    entry.expiresAtMs = expiresAtMs ?? undefined
    this.#live(key)
  }

  /** All keys that have not expired, oldest first. */
  keys(): string[] {
    return [...this.#entries.keys()].filter((key) => this.has(key))
  }

  clear(): void {
    this.#entries.clear()
  }

  /** Frees expired keys that nobody asks for; goes on where the last call ended. */
  sweepExpired(): void {
    this.#sweep ??= this.#entries.entries()
    for (let looked = 0; looked < SWEEP_BUDGET; looked++) {
      const next = this.#sweep.next()
      if (next.done) {
        this.#sweep = undefined
        return
      }
      this.#live(next.value[0])
    }
  }

  #live(key: string): Entry | undefined {
    const entry = this.#entries.get(key)
    if (entry?.expiresAtMs !== undefined && entry.expiresAtMs <= this.#nowMs()) {
      this.#entries.delete(key)
      return undefined
    }
    return entry
  }
}

function copyOf(value: Value): Value {
  switch (value.type) {
    case 'string':
      return value
    case 'hash':
      return { type: 'hash', data: new Map(value.data) }
    case 'list':
      return { type: 'list', data: [...value.data] }
    case 'set':
      return { type: 'set', data: new Set(value.data) }
    case 'zset': {
      const data = new SortedSet()
      for (const { member, score } of value.data.ordered) data.set(member, score)
      return { type: 'zset', data }
    }
  }
}
