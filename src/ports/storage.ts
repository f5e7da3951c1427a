export interface ObjectStore {
  put(key: string, body: ReadableStream<Uint8Array> | Uint8Array): Promise<{ size: number }>
  /** The bytes from `offset`, at most `length` of them; `null` where there is no such object. */
  getRange(key: string, offset: number, length: number): Promise<Uint8Array | null>
  delete(key: string): Promise<void>
}

/** Told of every change, so that no tier serves what is older to those who know of it. */
export interface Generations {
  /** Resolves when whoever is told of the change may ask; rejects when a tier does not know of it. */
  raise(scope: string, generation: number): Promise<void>
  /** Of what somebody is about to be told here, such as the end of a job: this isolate serves nothing older. */
  note(scope: string, generation: number): void
}

/** An answer as the tiers keep it, with what decides whether it may still be sent. */
export interface CacheEntry {
  /** JSON text that ends with `"stale":false}`, so that degraded answers can say what they are. */
  body: string
  etag: string
  /** The scope's generation when the body was read from the database. */
  generation: number
  /** When it was read, milliseconds since 1970 by the clock of whoever read it. */
  computedAtMs: number
}

/** The tiers above the database. */
export type CacheTier = 'memory' | 'colo' | 'region'

/** Which tiers may answer a route, and for how long each may without asking the next. A missing tier is not used. */
export interface CachePolicy {
  /** In the isolate, since a tier that knows of changes last vouched for the answer. */
  memoryMs?: number
  /** In the data centre, since the same moment. */
  coloMs?: number
  /** In Redis, since it was made, as long as nobody has raised the generation. */
  regionMs: number
  /**
   * After that, while it is made anew, as long as nobody has raised the generation. Without any, nobody is given
   * an outdated answer while somebody else makes a newer one either.
   */
  graceMs: number
  /** For how long after it was last asked a question is answered anew at each change, before anybody is told of it. */
  keptWarmMs?: number
}

/** The scope of what anybody may see, and the name of its live hub. No workspace's id, which is a UUID, is like it. */
export const PUBLIC_SCOPE = 'public'

export interface CacheRead {
  /** A workspace's id, or `PUBLIC_SCOPE`: whose generation labels the answer. */
  scope: string
  /** Names the normalised question within the scope; fit for a URL path. */
  key: string
  /** The caller has been told of this generation and must not see an older one. */
  minGeneration: number
  policy: CachePolicy
  /** By which the question can be put again without anybody asking it (`Rephrase`), where it is kept warm. */
  recipe?: string
}

/** How the question of a recipe is answered; `null`: this version of the product does not know. */
export type Rephrase = (scope: string, recipe: string) => Compute | null

/**
 * Answers a question anew.
 * @param atLeast what is of an earlier generation is no answer; `null`: how new it has to be nobody knows but the
 *   database itself
 */
export type Compute = (atLeast: number | null) => Promise<Computed>

export interface Computed {
  generation: number
  /** Serialised as JSON with `stale: false` as its last property. */
  value: { stale: boolean }
}

export type Tier = CacheTier | 'origin'

/** An entry in the forms that it is sent in, made once and kept with it in memory. */
export interface SendableEntry extends CacheEntry {
  /** The body in UTF-8. */
  bytes: Uint8Array<ArrayBuffer>
  /** The same, compressed; `null` until somebody has asked for it, or where it is not worth it. */
  gzip: Uint8Array<ArrayBuffer> | null
  /** Marked as what was known when nothing newer could be had. */
  stale: boolean
}

export interface CacheAnswer {
  entry: SendableEntry
  tier: Tier
}

export interface ReadCache {
  read(request: CacheRead, compute: Compute): Promise<CacheAnswer>
  /** What memory may answer at once and without renewing anything; `null`: ask `read`. */
  peek(request: CacheRead): SendableEntry | null
  /** As `Generations` has it. */
  note(scope: string, generation: number): void
  /** As `Generations` has it. What is kept warm has been made anew by then, as far as that took no longer than a moment. */
  raise(scope: string, generation: number): Promise<void>
}
