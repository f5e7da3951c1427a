/** The product's version, as it is released. */
export const VERSION = '0.1.0'

/** The newest migration that this code was written for; `scripts/check` compares it with `drizzle/`. */
export const SCHEMA_VERSION = '0019_matches-of-all-months'
