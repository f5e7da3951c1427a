import { describe, expect, it } from 'vitest'
import { type ParsedResponse, ResponseParser } from './response-parser.ts'

/** Feeds a text in pieces of a length, and collects what was complete. */
function parse(text: string, pieceLength: number, parser = new ResponseParser()): ParsedResponse[] {
  const bytes = Buffer.from(text, 'latin1')
  const found: ParsedResponse[] = []
  for (let at = 0; at < bytes.length; at += pieceLength) {
    const response = parser.push(bytes.subarray(at, at + pieceLength))
    if (response !== null) found.push(response)
  }
  return found
}

const PLAIN = 'HTTP/1.1 200 OK\r\nContent-Length: 11\r\nCache-Status: tidemark; hit\r\n\r\nhello world'
const CHUNKED =
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nb\r\nworld0\r\n\r\n!\r\n0\r\n\r\n'

describe('the end of an answer', () => {
  it.each([1, 2, 7, 1_000])('is found by its length, arriving %i bytes at a time', (pieceLength) => {
    const [response, ...more] = parse(PLAIN, pieceLength)
    expect(response).toMatchObject({ status: 200, bodyBytes: 11 })
    expect(response?.head).toContain('Cache-Status: tidemark; hit')
    expect(more).toEqual([])
  })

  it.each([1, 3, 1_000])('is found in chunks, also where they look like an end (%i bytes)', (pieceLength) => {
    expect(parse(CHUNKED, pieceLength)).toMatchObject([{ status: 200, bodyBytes: 16 }])
  })

  it('is the head where there is no body', () => {
    expect(parse('HTTP/1.1 304 Not Modified\r\nETag: "a"\r\n\r\n', 5)).toMatchObject([
      { status: 304, bodyBytes: 0 },
    ])
  })

  it('is found again for the next answer on the same connection', () => {
    const parser = new ResponseParser()
    const statuses = [PLAIN, CHUNKED, PLAIN].flatMap((text) => parse(text, 6, parser).map((r) => r.status))
    expect(statuses).toEqual([200, 200, 200])
  })

  it('is not guessed', () => {
    expect(() => parse('HTTP/1.1 200 OK\r\n\r\nwho knows', 1_000)).toThrow('does not say where it ends')
    expect(() => parse('SSH-2.0-OpenSSH\r\n\r\n', 1_000)).toThrow('no answer')
    expect(() => parse(`${PLAIN}!`, 1_000)).toThrow('More came')
  })
})
