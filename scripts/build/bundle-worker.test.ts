import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import type { Metafile } from 'esbuild'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bundleWorker } from './bundle-worker.ts'

const ENTRY = 'workers/api.ts'

/** Each millisecond of it is one that somebody waits for wherever no isolate runs yet. */
const MOST_BYTES_AT_START = 600_000

let outdir = ''
/** Files that became part of a module, of those that are loaded at the start and of all. */
let atStart: string[] = []
let all: string[] = []
let bytesAtStart = 0
let codeAtStart = ''
let code = ''

beforeAll(async () => {
  outdir = await mkdtemp(join(tmpdir(), 'tidemark-bundle-'))
  const { outputs } = await bundleWorker(ENTRY, outdir)
  const loaded = loadedAtStart(outputs)
  atStart = filesOf(loaded.map(([, output]) => output))
  all = filesOf(Object.values(outputs))
  bytesAtStart = loaded.reduce((sum, [, { bytes }]) => sum + bytes, 0)
  codeAtStart = await textOf(loaded.map(([path]) => path))
  code = await textOf(Object.keys(outputs).filter((path) => path.endsWith('.js')))
})
afterAll(() => rm(outdir, { recursive: true, force: true }))

type Output = Metafile['outputs'][string]

/** The entry, and what it imports other than by `import()`. */
function loadedAtStart(outputs: Metafile['outputs']): [string, Output][] {
  const waiting = Object.keys(outputs).filter((path) => outputs[path]?.entryPoint === ENTRY)
  const seen = new Set(waiting)
  for (const path of seen) {
    const imports = outputs[path]?.imports ?? []
    for (const { path: imported, kind } of imports) if (kind === 'import-statement') seen.add(imported)
  }
  return Object.entries(outputs).filter(([path]) => seen.has(path))
}

/** Of modules, by their paths. */
async function textOf(paths: readonly string[]): Promise<string> {
  const texts = await Promise.all(paths.map((path) => readFile(join(outdir, basename(path)), 'utf8')))
  return texts.join('\n')
}

function filesOf(outputs: readonly Output[]): string[] {
  return outputs.flatMap(({ inputs }) =>
    Object.entries(inputs).flatMap(([path, { bytesInOutput }]) => (bytesInOutput > 0 ? [path] : [])),
  )
}

describe('an isolate that begins loads', () => {
  it.each([
    // What serves the rest, and what that alone works with.
    'src/app/whole.ts',
    'src/jobs/',
    'src/http/routes/people.ts',
    'src/http/openapi.ts',
    'src/http/routes/documented-reads.ts',
    'src/services/overview/',
    'src/services/hashtags/',
    'src/services/imports/',
    'src/services/mail/',
    'src/services/people/',
    'src/services/sync/',
    'src/services/credentials/',
    'src/domain/imports/',
    'src/adapters/platforms/index.ts',
    'src/adapters/platforms/bluesky.ts',
    'src/adapters/auth/auth.ts',
    'src/adapters/queue.ts',
    'src/adapters/signature.ts',
    // What is as large as all the rest together.
    'node_modules/better-auth/',
    'node_modules/jose/',
    'node_modules/@hono/zod-openapi/',
    'node_modules/@upstash/qstash/',
    'node_modules/@upstash/ratelimit/',
    'node_modules/@neondatabase/serverless/',
    'node_modules/htmlparser2/',
  ])('nothing of %s, which is loaded at its first use', (part) => {
    expect(atStart.filter((path) => path.includes(part))).toEqual([])
    expect(all).toContainEqual(expect.stringContaining(part))
  })

  it.each([
    'src/env.ts',
    'src/app.ts',
    'src/http/hot-path.ts',
    'src/http/routes/dashboard.ts',
    'src/http/routes/hashtags.ts',
    'src/adapters/cache/tiers.ts',
    'src/services/access/identify.ts',
  ])('%s, which cached answers need', (path) => {
    expect(atStart).toContain(path)
  })

  it('nothing that looks for Node, of which the runtime would make all that it has', () => {
    expect(codeAtStart.match(/typeof process|globalThis\.process/g)).toBeNull()
  })

  it('no more than its first answer is worth', () => {
    expect(bytesAtStart).toBeGreaterThan(0)
    expect(bytesAtStart).toBeLessThan(MOST_BYTES_AT_START)
  })
})

describe('what is deployed has nothing', () => {
  it('of the validator’s messages in other languages', () => {
    expect(all.filter((path) => /\/zod\/v4\/locales\/(?!en\.js)/.test(path))).toEqual([])
  })

  it('of the validator’s parts that nobody uses', () => {
    expect(all.filter((path) => path.endsWith('/zod/v4/classic/from-json-schema.js'))).toEqual([])
  })

  it('of expressions that name properties of characters, but for calls that make them', () => {
    expect(code.match(/\/[^/\s"'`]*\\p\{\w+\}[^/\n]*\/[dgimsy]*u/)).toBeNull()
    expect(code).toContain(String.raw`\p{L}`)
  })

  it('of the classes of calendar arithmetic, which are twice as large as the functions that are used', () => {
    expect(
      all.filter((path) => /\/temporal-polyfill\/chunks\/(?:classApi|exoticCalendars)/.test(path)),
    ).toEqual([])
    expect(all).toContainEqual(expect.stringContaining('/temporal-polyfill/chunks/internal.js'))
  })

  it('of the query builder that the sign-in library has for databases of its own', () => {
    expect(all.filter((path) => path.includes('/kysely'))).toEqual([])
  })
})
