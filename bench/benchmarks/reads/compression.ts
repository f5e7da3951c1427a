import { get, type IncomingMessage } from 'node:http'
import { gunzipSync } from 'node:zlib'
import { assertMeasured } from '../../lib/benchmark.ts'
import type { Cell } from '../../lib/table.ts'
import type { Findings, ReadsBench } from './section.ts'
import { bearer, OVERVIEW } from './targets.ts'
import { atLeast, type Verdict } from './verdicts.ts'

const ANSWERS = {
  overview: `${OVERVIEW}?period=28d`,
  trending: '/api/v1/trending/hashtags?window=7d&limit=50',
  posts: '/api/v1/posts?limit=100',
  accounts: '/api/v1/accounts?limit=100',
}
/** Smaller ones need not be compressed. */
const WORTH_IT_BYTES = 1_024
const LEAST_SAVED = 60

/** How many bytes travel, asked for compressed and as they are. */
export async function measureCompression({ stack, log }: ReadsBench): Promise<Findings> {
  log('compression')
  const rows: Cell[][] = []
  const verdicts: Verdict[] = []
  for (const [name, path] of Object.entries(ANSWERS)) {
    const ask = (encoding: string) =>
      bytesOf(`${stack.url}${path}`, { ...bearer(stack), 'accept-encoding': encoding })
    const plain = await ask('identity')
    const compressed = await ask('gzip')
    const saved = 100 * (1 - compressed.bytes / plain.bytes)
    rows.push([name, plain.bytes, compressed.bytes, saved, compressed.encoding])
    if (plain.bytes > WORTH_IT_BYTES)
      verdicts.push(atLeast(`saved by compression: ${name}`, LEAST_SAVED, saved, '%'))
  }
  return {
    tables: [
      {
        title: 'Reads: bytes of a body',
        columns: [
          { name: 'answer' },
          { name: 'as it is', digits: 0 },
          { name: 'gzip accepted', digits: 0 },
          { name: 'saved', unit: '%', digits: 1 },
          { name: 'encoding' },
        ],
        rows,
      },
    ],
    verdicts,
  }
}

/** As they come: `fetch` would unpack them. */
async function bytesOf(
  url: string,
  headers: Record<string, string>,
): Promise<{ bytes: number; encoding: string }> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    get(url, { headers }, resolve).on('error', reject)
  })
  const body = Buffer.concat(await response.toArray())
  const encoding = response.headers['content-encoding'] ?? 'identity'
  const text = encoding === 'gzip' ? gunzipSync(body).toString() : body.toString()
  assertMeasured(response.statusCode === 200 && text.startsWith('{'), `${url} answers ${response.statusCode}`)
  return { bytes: body.length, encoding }
}
