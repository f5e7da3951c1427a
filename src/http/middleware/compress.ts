import { acceptsGzip, gzipEtag, gzipped, MIN_COMPRESSED_BYTES } from '../encoding.ts'

/** What gets smaller. Pictures and archives are compressed already. */
const COMPRESSIBLE = /^(?:text\/|application\/(?:[a-z.+-]*\+)?(?:json|javascript|xml)|image\/svg)/
/** What may be long, and is sent while it is made. */
const STREAMED = /^(?:text\/csv|application\/x-ndjson)/

/**
 * Compresses an answer where the client takes it and it is worth it: not every platform that the Worker runs
 * on does so by itself, and one that does leaves what is compressed as it is. Answers of cached routes come
 * with their compressed form.
 */
export async function compressAnswer(
  answer: Response,
  acceptEncoding: string | undefined,
): Promise<Response> {
  const { status, headers, body } = answer
  const type = headers.get('content-type') ?? ''
  if (!COMPRESSIBLE.test(type) || headers.has('content-encoding')) return answer
  varyByEncoding(headers)
  if (status !== 200 || body === null || !acceptsGzip(acceptEncoding)) return answer
  if (STREAMED.test(type)) return compressed(answer, body.pipeThrough(new CompressionStream('gzip')))
  const bytes = new Uint8Array(await answer.arrayBuffer())
  if (bytes.length < MIN_COMPRESSED_BYTES) return new Response(bytes, { status, headers })
  return compressed(answer, await gzipped(bytes))
}

function compressed({ status, headers }: Response, body: BodyInit): Response {
  headers.set('content-encoding', 'gzip')
  headers.delete('content-length')
  const etag = headers.get('etag')
  if (etag !== null) headers.set('etag', gzipEtag(etag))
  return new Response(body, { status, headers, encodeBody: 'manual' })
}

function varyByEncoding(headers: Headers): void {
  const vary = headers.get('vary')
  if (vary === null) headers.set('vary', 'Accept-Encoding')
  else if (!/accept-encoding/i.test(vary)) headers.set('vary', `${vary}, Accept-Encoding`)
}
