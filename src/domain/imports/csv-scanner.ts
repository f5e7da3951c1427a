import { decodeUtf8 } from './range.ts'

/*
 * A reader of RFC 4180 records of our own, because imports are read in byte ranges: it has to say where in
 * the file the first unread record begins and on which physical line, to leave a record that the range cuts
 * off for the next one, and to get past a broken record. csv-parse gives the bytes, but neither the line on
 * which a record begins nor a way past a wrong quote, and it counts CRLF within quotes twice.
 */

const LF = 0x0a
const CR = 0x0d
const SPACE = 0x20
const TAB = 0x09
const QUOTE = 0x22
const COMMA = 0x2c

export interface CsvFault {
  /** From 0. */
  fieldIndex: number
  kind: 'quote_in_unquoted_field' | 'text_after_closing_quote'
}

interface Advance {
  /** Where the next record begins in the bytes. */
  next: number
  /** How many line breaks lie before `next`. */
  breaks: number
}

export interface CsvRecord extends Advance {
  kind: 'record'
  /** The cells without their quotes; `null` for one whose bytes are not UTF-8. */
  fields: (string | null)[]
  faults: CsvFault[]
  /** How many line breaks lie within its quoted cells. */
  innerBreaks: number
}

/** A line with nothing on it but spaces. */
export interface CsvBlank extends Advance {
  kind: 'blank'
}

/** The file ends within quotes; `next` is the line after the one on which they were opened. */
export interface CsvUnclosedQuote extends Advance {
  kind: 'unclosed_quote'
  fieldIndex: number
  /** How many line breaks of the record lie before the quote. */
  quoteBreaks: number
}

/**
 * No end within the greatest length. Quotes that are open are taken for a mistake, and `next` is the line
 * after the one on which they were opened. Where that line has no end in sight, or no quotes are open,
 * `skipping` says that what follows `next` on its line is still to be passed over.
 */
export interface CsvOversize extends Advance {
  kind: 'oversize'
  fieldIndex: number
  /** How many line breaks of the record lie before the open quote; `null`: none is open. */
  quoteBreaks: number | null
  skipping: boolean
}

/** The bytes end before the record does, and the file goes on. */
export interface CsvIncomplete {
  kind: 'incomplete'
}

export type CsvScan = CsvRecord | CsvBlank | CsvUnclosedQuote | CsvOversize | CsvIncomplete

/**
 * Reads the record that begins at `start`. But for `incomplete`, what it finds depends on the file alone
 * and never on where the bytes happen to end.
 *
 * @param isLast whether the file ends with these bytes
 * @param maxBytes the longest record, without its line break
 */
export function scanRecord(bytes: Uint8Array, start: number, isLast: boolean, maxBytes: number): CsvScan {
  return new RecordScanner(bytes, start, isLast, maxBytes).scan()
}

/**
 * Passes over the rest of an overlong line from `start` on.
 *
 * @returns the beginning of the next line, or how far the bytes go (`found: false`)
 */
export function skipLine(
  bytes: Uint8Array,
  start: number,
  isLast: boolean,
): { next: number; found: boolean } {
  for (let position = start; position < bytes.length; position += 1) {
    const byte = bytes[position]
    if (byte === LF || byte === CR) {
      const length = lineBreakLength(bytes, position, isLast)
      return { next: position + length, found: length > 0 }
    }
  }
  return { next: bytes.length, found: false }
}

interface FieldSpan {
  from: number
  to: number
  quoted: boolean
  /** Whether there are doubled quotes in it. */
  doubled: boolean
}

class RecordScanner {
  readonly #bytes: Uint8Array
  readonly #start: number
  /** One byte past the longest record: the line break of one that is just short enough may stand there. */
  readonly #end: number
  readonly #isLast: boolean
  readonly #maxBytes: number
  readonly #spans: FieldSpan[] = []
  readonly #faults: CsvFault[] = []
  #position: number
  #breaks = 0
  /** All bytes of the record, or-ed: below 0x80 when it is ASCII alone. */
  #bits = 0

  constructor(bytes: Uint8Array, start: number, isLast: boolean, maxBytes: number) {
    this.#bytes = bytes
    this.#start = start
    this.#position = start
    this.#end = Math.min(bytes.length, start + maxBytes + 1)
    this.#isLast = isLast
    this.#maxBytes = maxBytes
  }

  scan(): CsvScan {
    for (;;) {
      if (this.#byteHere() === QUOTE) {
        const failure = this.#readQuotedField()
        if (failure !== null) return failure
      } else {
        this.#readBareField()
      }
      if (this.#byteHere() !== COMMA) return this.#endRecord()
      this.#position += 1
    }
  }

  #byteHere(): number | undefined {
    return this.#position < this.#end ? this.#bytes[this.#position] : undefined
  }

  get #tooLong(): boolean {
    return this.#end - this.#start > this.#maxBytes
  }

  #readBareField(): void {
    const from = this.#position
    if (this.#passToFieldEnd()) this.#fault('quote_in_unquoted_field')
    this.#spans.push({ from, to: this.#position, quoted: false, doubled: false })
  }

  #readQuotedField(): CsvUnclosedQuote | CsvOversize | CsvIncomplete | null {
    const bytes = this.#bytes
    const end = this.#end
    const from = this.#position + 1
    const quoteBreaks = this.#breaks
    let bits = this.#bits
    let breaks = quoteBreaks
    let lineAfterQuote: number | null = null
    let doubled = false
    let closed = false
    let position = from
    for (; position < end; position += 1) {
      const byte = bytes[position] ?? 0
      bits |= byte
      if (byte === QUOTE) {
        if (position + 1 < end && bytes[position + 1] === QUOTE) {
          doubled = true
          position += 1
        } else {
          // With nothing behind it in sight, it closes the field only where the file ends, too.
          closed = position + 1 < end || (this.#isLast && !this.#tooLong)
          break
        }
      } else if (byte === LF || (byte === CR && bytes[position + 1] !== LF)) {
        breaks += 1
        lineAfterQuote ??= position + 1
      }
    }
    if (!closed) return this.#openQuote(quoteBreaks, lineAfterQuote)
    this.#breaks = breaks
    this.#bits = bits
    this.#position = position + 1
    const afterQuote = this.#position
    this.#passToFieldEnd()
    if (this.#position > afterQuote) this.#fault('text_after_closing_quote')
    this.#spans.push({ from, to: position, quoted: true, doubled })
    return null
  }

  /** Moves on to the comma or line break that ends the field, and tells whether there were quotes. */
  #passToFieldEnd(): boolean {
    const bytes = this.#bytes
    const end = this.#end
    let bits = this.#bits
    let quoteSeen = false
    let position = this.#position
    for (; position < end; position += 1) {
      const byte = bytes[position] ?? 0
      if (byte === COMMA || byte === LF || byte === CR) break
      if (byte === QUOTE) quoteSeen = true
      bits |= byte
    }
    this.#bits = bits
    this.#position = position
    return quoteSeen
  }

  #openQuote(
    quoteBreaks: number,
    lineAfterQuote: number | null,
  ): CsvUnclosedQuote | CsvOversize | CsvIncomplete {
    const fieldIndex = this.#spans.length
    if (this.#tooLong) {
      const limit = this.#start + this.#maxBytes
      // A break in the very last byte is left to the skipping: it may be the first half of CRLF.
      return lineAfterQuote !== null && lineAfterQuote <= limit
        ? {
            kind: 'oversize',
            fieldIndex,
            quoteBreaks,
            next: lineAfterQuote,
            breaks: quoteBreaks + 1,
            skipping: false,
          }
        : { kind: 'oversize', fieldIndex, quoteBreaks, next: limit, breaks: quoteBreaks, skipping: true }
    }
    if (!this.#isLast) return { kind: 'incomplete' }
    return lineAfterQuote !== null
      ? { kind: 'unclosed_quote', fieldIndex, quoteBreaks, next: lineAfterQuote, breaks: quoteBreaks + 1 }
      : { kind: 'unclosed_quote', fieldIndex, quoteBreaks, next: this.#end, breaks: quoteBreaks }
  }

  #endRecord(): CsvRecord | CsvBlank | CsvOversize | CsvIncomplete {
    const to = this.#position
    let next = to
    let breaks = this.#breaks
    if (to < this.#end) {
      const length = lineBreakLength(this.#bytes, to, this.#isLast)
      if (length === 0) return { kind: 'incomplete' }
      next += length
      breaks += 1
    } else if (this.#tooLong) {
      const fieldIndex = this.#spans.length - 1
      return {
        kind: 'oversize',
        fieldIndex,
        quoteBreaks: null,
        next: this.#start + this.#maxBytes,
        breaks,
        skipping: true,
      }
    } else if (!this.#isLast) {
      return { kind: 'incomplete' }
    }
    if (this.#isBlank()) return { kind: 'blank', next, breaks }
    return {
      kind: 'record',
      fields: this.#decodeFields(to),
      faults: this.#faults,
      innerBreaks: this.#breaks,
      next,
      breaks,
    }
  }

  #isBlank(): boolean {
    const [span, second] = this.#spans
    if (span === undefined || second !== undefined || span.quoted) return false
    for (let position = span.from; position < span.to; position += 1) {
      if (this.#bytes[position] !== SPACE && this.#bytes[position] !== TAB) return false
    }
    return true
  }

  #decodeFields(to: number): (string | null)[] {
    const start = this.#start
    // Calls into the decoder are what costs: a record of ASCII alone takes one, and is cut up as a string.
    const whole = this.#bits < 0x80 ? decodeUtf8(this.#bytes.subarray(start, to)) : null
    return this.#spans.map((span) => {
      const field =
        whole === null
          ? decodeUtf8(this.#bytes.subarray(span.from, span.to))
          : whole.slice(span.from - start, span.to - start)
      return span.doubled && field !== null ? field.replaceAll('""', '"') : field
    })
  }

  #fault(kind: CsvFault['kind']): void {
    this.#faults.push({ fieldIndex: this.#spans.length, kind })
  }
}

/** LF, CRLF and a lone CR all end a line; 0 where it takes one more byte to tell the last two apart. */
function lineBreakLength(bytes: Uint8Array, position: number, isLast: boolean): 0 | 1 | 2 {
  if (bytes[position] === LF) return 1
  if (position + 1 >= bytes.length) return isLast ? 1 : 0
  return bytes[position + 1] === LF ? 2 : 1
}
