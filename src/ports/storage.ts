export interface ObjectStore {
  put(key: string, body: ReadableStream<Uint8Array> | Uint8Array): Promise<{ size: number }>
  /** The bytes from `offset`, at most `length` of them; `null` where there is no such object. */
  getRange(key: string, offset: number, length: number): Promise<Uint8Array | null>
  delete(key: string): Promise<void>
}

/** Told of every change, so that no tier serves what is older to those who know of it. */
export interface Generations {
  raise(scope: string, generation: number): Promise<void>
}

/** A ready-to-send answer, with what decides whether it may still be sent. */
export interface CacheEntry {
  /** JSON text that ends with `"stale":false}`, so that degraded answers can say what they are. */
  body: string
  etag: string
  /** The workspace's generation when the body was read from the database. */
  generation: number
  /** When it was read, milliseconds since 1970. */
  computedAtMs: number
}

/** How long an answer of a route may be used in each tier. */
export interface CachePolicy {
  memoryMs: number
  coloMs: number
  regionMs: number
}

export interface CacheRead {
  /** A workspace's id, or `public`: whose generation labels the answer. */
  scope: string
  /** Names the normalised question within the scope; fit for a URL path. */
  key: string
  /** The caller has been told of this generation and must not see an older one. */
  minGeneration: number
  policy: CachePolicy
}

export interface Computed {
  generation: number
  /** Serialised as JSON with `stale: false` as its last property. */
  value: { stale: boolean }
}

export type Tier = 'memory' | 'colo' | 'region' | 'origin'

export interface CacheAnswer {
  entry: CacheEntry
  tier: Tier
  /** Served because nothing newer could be had in time. */
  stale: boolean
}

export interface ReadCache {
  read(request: CacheRead, compute: () => Promise<Computed>): Promise<CacheAnswer>
  raise(scope: string, generation: number): Promise<void>
}
