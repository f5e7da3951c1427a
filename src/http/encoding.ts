/** What is smaller gains nothing: headers are most of it. */
export const MIN_COMPRESSED_BYTES = 1_000

/** Whether a client takes gzip, by its `Accept-Encoding` (RFC 9110, 12.5.3). */
export function acceptsGzip(header: string | null | undefined): boolean {
  if (header == null) return false
  // As browsers and the edge say it.
  if (/^[a-z, ]*\bgzip\b[a-z, ]*$/.test(header)) return true
  let [gzip, any] = [null as number | null, null as number | null]
  for (const part of header.toLowerCase().split(',')) {
    const [coding = '', ...parameters] = part.split(';').map((text) => text.trim())
    const weight = parameters.find((text) => text.startsWith('q='))
    const q = weight === undefined ? 1 : Number(weight.slice(2))
    if (coding === 'gzip' || coding === 'x-gzip') gzip = q
    if (coding === '*') any = q
  }
  return (gzip ?? any ?? 0) > 0
}

/** Bytes in gzip. */
export async function gzipped(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream('gzip'))
  return new Uint8Array(await new Response(stream).arrayBuffer())
}

/** The ETag of the compressed form: a strong one names bytes. */
export function gzipEtag(etag: string): string {
  return etag.replace(/"$/, '-gzip"')
}

/** Whether an `If-None-Match` names an ETag, in any of its forms (weak comparison, RFC 9110, 13.1.2). */
export function namesEtag(given: string | null | undefined, etag: string): boolean {
  if (given == null) return false
  if (given === etag) return true
  return given.split(',').some((part) => {
    const tag = part.trim().replace(/^W\//, '')
    return tag === '*' || tag === etag || tag === gzipEtag(etag)
  })
}
