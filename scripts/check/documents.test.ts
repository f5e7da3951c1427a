import { describe, expect, it } from 'vitest'
import { checkDocuments } from './documents.ts'

const REPOSITORY = {
  files: [
    'package.json',
    'wrangler.toml',
    'docs/architecture.md',
    'docs/decisions/0001-layers.md',
    'src/http/problem.ts',
    'src/services/accounts/schemas.ts',
    'scripts/check.ts',
    'drizzle/0000_init.sql',
  ],
  scripts: ['start', 'check', 'db:migrate'],
  ignored: ['node_modules/', '.local/', '.dev.vars', 'bench/results/*.json', ''],
}

/** What is said of a document in docs/. */
function messages(...lines: string[]): string[] {
  return findings(...lines).map(({ message }) => message)
}

function findings(...lines: string[]) {
  return checkDocuments([{ path: 'docs/architecture.md', source: lines.join('\n') }], REPOSITORY)
}

describe('references that hold', () => {
  it.each([
    'See `src/http/problem.ts`, `src/http/problem.ts:12`, `./src/http` and `scripts/`.',
    'Shortened: `services/accounts/schemas.ts`, `accounts/<file>.ts`, `problem.ts`, `check.ts`.',
    'By pattern: `drizzle/*.sql`, `src/services/<entity>/schemas.ts`, `src/{http,jobs}/problem.ts`, `src/**/*.ts`.',
    'Made on the way: `.local/instance.json`, `bench/results/reads.json`, `.dev.vars`.',
    'No paths: `application/json`, `/api/v1/posts.ts`, `@upstash/redis`, `a < b`, `*.pg.test.ts`, `Asia/Kathmandu`.',
    '[a decision](decisions/0001-layers.md), [up](../src/http/problem.ts "title"), [out](https://example.com/x.ts)',
    '![picture](../wrangler.toml) and [mail](mailto:a@example.com)',
    'Run `npm start`, `npm run check -- --json` or `npm ci`.',
    '`npm run db:migrate`',
    '<!-- `src/gone.ts` -->',
    '```ts\nimport x from "src/gone.ts"\n```',
    '```sh\nnode scripts/check.ts   # not src/gone.ts\nPORT=1 npm start\n```',
    '`` [not a link](gone.md) ``',
  ])('%s', (text) => {
    expect(messages(text)).toEqual([])
  })
})

describe('references that do not', () => {
  it.each([
    ['`src/http/gone.ts`', 'there is no src/http/gone.ts'],
    ['`src/gone/`', 'there is no src/gone/'],
    ['`gone.ts`', 'there is no gone.ts'],
    ['`oldfolder/gone.ts`', 'there is no oldfolder/gone.ts'],
    ['`ccounts/schemas.ts`', 'there is no ccounts/schemas.ts'],
    ['`./accounts/schemas.ts`', 'there is no ./accounts/schemas.ts'],
    ['`src/jobs/*.ts`', 'there is no src/jobs/*.ts'],
    ['`bench/results/reads.sql`', 'there is no bench/results/reads.sql'],
    ['[gone](decisions/0002-gone.md)', 'the link to decisions/0002-gone.md leads nowhere'],
    ['[gone]: gone.md', 'the link to gone.md leads nowhere'],
    ['![gone](gone(1).png)', 'the link to gone(1).png leads nowhere'],
    ['`npm test`', 'package.json has no script "test"'],
    ['`npm run nothing`', 'package.json has no script "nothing"'],
    ['```console\n$ npm run nothing\n```', 'package.json has no script "nothing"'],
    ['```\nnode scripts/gone.ts --flag\n```', 'there is no scripts/gone.ts'],
    ['~~~sh\ncp .x=./scripts/gone.ts y', 'there is no ./scripts/gone.ts'],
  ])('%s', (text, message) => {
    expect(messages(text)).toEqual([message])
  })
})

it('checks headings, as GitHub names them', () => {
  const headings = ['# The `Read` path, & more', '## Layers', '## Layers', '## [Linked](https://example.com)']
  const link = (anchor: string) => messages(...headings, `[x](#${anchor}) [y](architecture.md#${anchor})`)
  for (const anchor of ['the-read-path--more', 'layers', 'layers-1', 'linked'])
    expect(link(anchor)).toEqual([])
  expect(link('layers-2')).toEqual(Array(2).fill('docs/architecture.md has no heading for #layers-2'))
})

it('points at the line, behind fences, comments and code of several lines', () => {
  const source = [
    '# Title',
    '```ts',
    'x',
    '```',
    '<!--',
    '-->',
    '`a',
    'b`',
    '```sh',
    'ls',
    'npm run nothing',
    '```',
  ]
  expect(findings(...source, 'See `src/gone.ts`.')).toMatchObject([
    { file: 'docs/architecture.md', line: 13, rule: 'documents' },
    { line: 11 },
  ])
})
