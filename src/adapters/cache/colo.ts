import type { CacheEntry } from '../../ports.ts'

/** The data centre's cache, shared by its isolates. Entries outlive their freshness, to be served in need. */
const KEEP_SECONDS = 300
/** Never fetched: only a name for the entries. */
const ORIGIN = 'https://cache.tidemark.invalid'

export interface ColoEntry extends CacheEntry {
  /** When a tier that knows of changes last vouched for it, by the clock of whoever stored it. */
  validatedAtMs: number
}

export function createColoTier(open: () => Cache) {
  const addressOf = (key: string) => `${ORIGIN}/${key}`
  return {
    /** The entry, or `null` where there is none or the cache does not work. */
    async get(key: string): Promise<ColoEntry | null> {
      try {
        const response = await open().match(addressOf(key))
        if (response === undefined) return null
        const number = (name: string) => Number(response.headers.get(name))
        return {
          body: await response.text(),
          etag: response.headers.get('x-tidemark-etag') ?? '',
          generation: number('x-tidemark-generation'),
          computedAtMs: number('x-tidemark-computed-at'),
          validatedAtMs: number('x-tidemark-validated-at'),
        }
      } catch {
        return null
      }
    },
    async put(key: string, entry: ColoEntry): Promise<void> {
      try {
        await open().put(
          addressOf(key),
          new Response(entry.body, {
            headers: {
              'content-type': 'application/json',
              'cache-control': `max-age=${KEEP_SECONDS}`,
              'x-tidemark-etag': entry.etag,
              'x-tidemark-generation': String(entry.generation),
              'x-tidemark-computed-at': String(entry.computedAtMs),
              'x-tidemark-validated-at': String(entry.validatedAtMs),
            },
          }),
        )
      } catch {
        // The other tiers serve.
      }
    },
  }
}

export type ColoTier = ReturnType<typeof createColoTier>
