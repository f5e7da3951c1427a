export interface ParsedResponse {
  status: number
  /** Status line and headers, as they came. */
  head: string
  bodyBytes: number
}

const END_OF_HEAD = '\r\n\r\n'
const STATUS_LINE = /^HTTP\/1\.1 (\d{3})/
const CONTENT_LENGTH = /\r\ncontent-length: *(\d+)/i
const CHUNKED = /\r\ntransfer-encoding: *chunked/i

/**
 * Finds where answers of HTTP/1.1 end, one at a time, at a fraction of what an HTTP client costs: on a small
 * machine the one who asks must not take the processor from the one who answers.
 */
export class ResponseParser {
  #head = ''
  #response: ParsedResponse | null = null
  /** Bytes of the body still to come; `null` while it comes in chunks. */
  #missing: number | null = 0
  #chunks = ''

  /**
   * Takes what arrived; answers with the response once it is complete.
   * @throws when the bytes are no answer, or more than one.
   */
  push(bytes: Buffer): ParsedResponse | null {
    if (this.#response === null) {
      const before = this.#head.length
      this.#head += bytes.toString('latin1')
      const end = this.#head.indexOf(END_OF_HEAD)
      if (end < 0) return null
      const bodyStart = end + END_OF_HEAD.length
      this.#begin(this.#head.slice(0, end))
      return this.#takeBody(bytes.subarray(bodyStart - before))
    }
    return this.#takeBody(bytes)
  }

  #begin(head: string): void {
    const status = Number(STATUS_LINE.exec(head)?.[1])
    if (!(status >= 200)) throw new Error(`This is no answer: ${head.slice(0, 100)}`)
    this.#response = { status, head, bodyBytes: 0 }
    const length = CONTENT_LENGTH.exec(head)?.[1]
    if (status === 204 || status === 304) this.#missing = 0
    else if (CHUNKED.test(head)) this.#missing = null
    else if (length !== undefined) this.#missing = Number(length)
    else throw new Error('The answer does not say where it ends')
  }

  #takeBody(bytes: Buffer): ParsedResponse | null {
    const response = this.#response
    if (response === null) return null
    if (this.#missing === null) {
      this.#chunks += bytes.toString('latin1')
      const length = lengthOfChunks(this.#chunks)
      if (length === null) return null
      response.bodyBytes = length
    } else {
      this.#missing -= bytes.length
      response.bodyBytes += bytes.length
      if (this.#missing > 0) return null
      if (this.#missing < 0) throw new Error('More came than was asked for')
    }
    this.#head = ''
    this.#chunks = ''
    this.#response = null
    return response
  }
}

/** The length of a chunked body; `null` while its end has not come. */
function lengthOfChunks(text: string): number | null {
  let length = 0
  for (let at = 0; ; ) {
    const endOfLine = text.indexOf('\r\n', at)
    if (endOfLine < 0) return null
    const size = Number.parseInt(text.slice(at, endOfLine), 16)
    if (!(size >= 0)) throw new Error('A chunk has no size')
    at = endOfLine + 2 + size + 2
    if (at > text.length) return null
    if (size === 0) return length
    length += size
  }
}
