import type { CallOperation } from '../../ports.ts'

const MAX_DEPTH = 6
const MAX_NAMES = 40
const MAX_ENTRIES = 3
/** Names that may be somebody's id rather than a field's. */
const TELLING_NAME = /^[A-Za-z_$][A-Za-z_$.-]{0,39}$/u

/** The names that answers with tokens are known to have: any other might be one itself. */
const TOKEN_FIELDS: ReadonlySet<string> = new Set(
  `access_token code data description error error_code error_description error_message error_subcode error_type
   expires_in fbtrace_id id id_token log_id message open_id permissions refresh_expires_in refresh_token
   refresh_token_expires_in scope scopes status token token_type type user_id`.split(/\s+/u),
)
const TOKEN_OPERATIONS: readonly CallOperation[] = ['token.grant', 'token.refresh']

/** The shape of an answer to an operation; of one that grants a token with no names but those that are known. */
export function shapeOfAnswer(operation: CallOperation, answer: unknown): unknown {
  return TOKEN_OPERATIONS.includes(operation)
    ? shape(answer, (name) => TOKEN_FIELDS.has(name), 0)
    : shape(answer, (name) => TELLING_NAME.test(name), 0)
}

/**
 * The shape of an answer: names of fields and kinds of values, with none of the values, which may be anybody's
 * words or secrets. Bounded in depth and width.
 */
function shape(value: unknown, isField: (name: string) => boolean, depth: number): unknown {
  if (value === null) return 'null'
  if (Array.isArray(value)) {
    const entries: unknown[] = value
    if (depth >= MAX_DEPTH) return `list of ${entries.length}`
    return entries.slice(0, MAX_ENTRIES).map((entry) => shape(entry, isField, depth + 1))
  }
  if (typeof value === 'object') {
    if (depth >= MAX_DEPTH) return 'object'
    const named = Object.entries(value).slice(0, MAX_NAMES)
    return Object.fromEntries(
      named.map(([name, entry]) => [isField(name) ? name : '…', shape(entry, isField, depth + 1)]),
    )
  }
  return value === undefined ? 'no JSON' : typeof value
}
