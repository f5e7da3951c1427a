import { POST_METRICS } from '../platforms.ts'

/** The columns (CSV) or keys (NDJSON) that an import understands; any other is ignored. */
export const IMPORT_COLUMNS = [
  'platform',
  'account',
  'post_id',
  'posted_at',
  'text',
  'permalink',
  'kind',
  'media_type',
  ...POST_METRICS,
  'metrics_at',
] as const

export type ImportColumn = (typeof IMPORT_COLUMNS)[number]

export const REQUIRED_COLUMNS = ['post_id', 'posted_at'] as const satisfies readonly ImportColumn[]

/** The columns that hold counts. */
export const COUNT_COLUMNS: ReadonlySet<ImportColumn> = new Set(POST_METRICS)

/** What a row says, by column; a column that is missing or empty is unknown and has no entry. */
export type Cells = Map<ImportColumn, string>

const BY_SQUASHED_NAME: ReadonlyMap<string, ImportColumn> = new Map(
  IMPORT_COLUMNS.map((column) => [squash(column), column]),
)

/**
 * The column that a header name or JSON key means: `post_id`, `Post ID`, `post-id` and `postId` are one.
 * `null` for a name that imports ignore.
 */
export function matchColumn(name: string): ImportColumn | null {
  return BY_SQUASHED_NAME.get(squash(name)) ?? null
}

function squash(name: string): string {
  return name.replace(/[\s_-]+/g, '').toLowerCase()
}
