/** What is secret in a text is known by its name or by its shape. */

/** Names whose values never reach a log, whatever they hold. */
const SECRET =
  'password|passphrase|passwd|secret|token|authorization|cookie|credential|sealed|(?:api|signing|private|access|encryption)[-_]?key|signature|invitation|ticket|connection[-_]?string|database[-_]?url'
const SECRET_NAME = new RegExp(SECRET, 'i')

/** Whether what stands under this name is never shown. */
export function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name)
}

const REDACTED = '[redacted]'
/** What ends a value in an address, a header, a statement or a list. */
const VALUE = String.raw`[^\s&;,#"'<>()\[\]{}\\]+`

/** How secrets look, and what is shown instead of each. What repeats is bounded: no text takes long to search. */
const SHAPES: readonly (readonly [shape: RegExp, shown: string])[] = [
  // What an ORM says of a failed query ends with what it was given, which may be of many lines.
  [/(\\n|\n)params: [\s\S]*$/, `$1params: ${REDACTED}`],
  [/tm_[A-Za-z0-9_-]{8,}/g, `tm_${REDACTED}`],
  [/\bBearer\s+[A-Za-z0-9._~+/=-]+/gi, `Bearer ${REDACTED}`],
  [/\bBasic\s+[A-Za-z0-9+/=_-]{6,}/g, `Basic ${REDACTED}`],
  [/(\w{1,20}:\/\/)[^/\s?#]*@/g, `$1${REDACTED}@`],
  // JSON Web Tokens, which the queue's signatures are as well; and the keys that it signs with.
  [/\beyJ[\w-]{5,}(?:\.[\w-]*)*/g, REDACTED],
  [/\bsig_[A-Za-z0-9]{8,}/g, `sig_${REDACTED}`],
  // Headers that hold several values.
  [/\b((?:set-)?cookie)(["']?\s*[:=]\s*)(?!\[redacted)[^\r\n"']+/gi, `$1$2${REDACTED}`],
  [/([\w.-]{0,40}tidemark\.[\w.-]{1,40})=[^;\s]+/g, `$1=${REDACTED}`],
  // `"password":"…"`, also within a text that is quoted itself.
  [
    new RegExp(String.raw`(\\?["'][\w.-]{0,40}(?:${SECRET})[\w.-]{0,40}\\?["']\s*:\s*\\?["'])[^"'\\]+`, 'gi'),
    `$1${REDACTED}`,
  ],
  // `access_token=…`, `password: …`; of `code=` and `key=` in an address alone.
  [
    new RegExp(String.raw`\b([\w.-]{0,40}(?:${SECRET})[\w.-]{0,40}\s?=\s?)(?!\[redacted)${VALUE}`, 'gi'),
    `$1${REDACTED}`,
  ],
  [
    new RegExp(
      String.raw`\b([\w.-]{0,40}(?:passw|secret|token|signature|api[-_]?key)[\w.-]{0,40}:\s+)(?!\[redacted)${VALUE}`,
      'gi',
    ),
    `$1${REDACTED}`,
  ],
  [new RegExp(`([?&#](?:code|key|sig|state|nonce|jwt|pwd)=)${VALUE}`, 'gi'), `$1${REDACTED}`],
  // A link that lets whoever has it in.
  [/(\/(?:invitations?|invite|reset-password|verify-email)\/)[\w-]{16,}/gi, `$1${REDACTED}`],
]

const MAX_TEXT = 2_000
/** Read beyond the end, so that what is cut off is not what a secret is known by. */
const MARGIN = 1_000

/** A text of at most 2,000 characters without its secrets. */
export function redactText(text: string): string {
  const isCut = text.length > MAX_TEXT + MARGIN
  let shown = isCut ? text.slice(0, MAX_TEXT + MARGIN) : text
  for (const [shape, instead] of SHAPES) shown = shown.replace(shape, instead)
  // What stood before the cut may be half of a secret, wherever the text was made shorter.
  return shown.slice(0, isCut ? Math.max(0, Math.min(MAX_TEXT, shown.length - MARGIN)) : MAX_TEXT)
}

/** What is shown of an error beside its name, message, stack and cause. */
const ERROR_FIELDS = ['code', 'sqlState', 'status', 'errors']

/** An error as plain data; `redact` shows what it holds. */
export function redactError(error: Error, redact: (part: unknown) => unknown): Record<string, unknown> {
  const fields = ERROR_FIELDS.flatMap((name) => {
    const value: unknown = Reflect.get(error, name)
    return value === undefined ? [] : [[name, redact(value)]]
  })
  return {
    name: redactText(error.name),
    message: redactText(error.message),
    ...Object.fromEntries(fields),
    ...(error.stack === undefined ? {} : { stack: redactStack(error.stack, error.message) }),
    ...(error.cause === undefined ? {} : { cause: redact(error.cause) }),
  }
}

/** The message stands in the stack again, and may look like frames itself: what follows it are the frames. */
function redactStack(stack: string, message: string): string {
  const found = stack.indexOf(`${message}\n    at `)
  if (found < 0) return redactText(stack)
  const end = found + message.length
  return `${redactText(stack.slice(0, end))}${redactText(stack.slice(end))}`.slice(0, MAX_TEXT)
}
