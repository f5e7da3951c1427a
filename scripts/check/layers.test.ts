import { describe, expect, it } from 'vitest'
import { checkLayers } from './layers.ts'

/** What the check says of one file with these imports. */
function messages(path: string, ...lines: string[]): string[] {
  return checkLayers([{ path, source: lines.join('\n') }]).map(({ message }) => message)
}

const importing = (specifier: string) => `import { x } from '${specifier}'`

describe('imports that the layers allow', () => {
  it.each([
    ['src/lib/ids.ts', '../errors.ts'],
    ['src/errors.ts', './lib/ids.ts'],
    ['src/ports.ts', './domain/platforms.ts'],
    ['src/domain/periods.ts', '../ports.ts'],
    ['src/db/queries/overview.ts', '../client.ts'],
    ['src/adapters/platforms/bluesky.ts', '../../resilience/retry.ts'],
    ['src/services/overview/get-overview.ts', '../../db/queries/overview.ts'],
    ['src/services/imports/run.ts', '../jobs/schemas.ts'],
    ['src/http/routes/jobs.ts', '../../services/jobs/schemas.ts'],
    ['src/deps.ts', './adapters/redis.ts'],
    ['src/app.ts', './jobs/routes.ts'],
    ['src/app.ts', './deps.ts'],
    ['src/app/whole.ts', '../jobs/routes.ts'],
    ['workers/api.ts', '../src/app.ts'],
    ['workers/workspace-hub.ts', 'cloudflare:workers'],
    ['src/services/context.ts', 'zod'],
    ['src/adapters/auth/cookie.ts', 'node:crypto'],
    ['web/src/ui/avatar.tsx', '../../../src/domain/platforms.ts'],
    ['web/src/domain/period.ts', '../api/query.ts'],
    ['web/vite.config.ts', 'node:url'],
  ])('%s may import %s', (path, specifier) => {
    expect(messages(path, importing(specifier))).toEqual([])
  })

  it('test files may import anything', () => {
    expect(messages('src/domain/periods.test.ts', importing('../http/problem.ts'))).toEqual([])
    expect(messages('src/domain/ranges.test-helper.ts', importing('node:fs'))).toEqual([])
  })
})

describe('imports that the layers forbid', () => {
  it.each([
    ['src/lib/ids.ts', '../domain/periods.ts', 'upwards from domain'],
    ['src/realtime/hub.ts', '../resilience/retry.ts', 'sideways from resilience'],
    ['src/db/queries/overview.ts', '../../adapters/redis.ts', 'sideways from adapters'],
    ['src/adapters/hub.ts', '../db/client.ts', 'sideways from db'],
    ['src/domain/periods.ts', '../services/context.ts', 'upwards from services'],
    ['src/services/jobs/run.ts', '../../jobs/verdict.ts', 'upwards from jobs'],
    ['src/http/routes/posts.ts', '../../jobs/verdict.ts', 'sideways from jobs'],
    ['src/jobs/sync.ts', '../http/problem.ts', 'sideways from http'],
    ['src/http/routes/posts.ts', '../../deps.ts', 'sideways from deps'],
    ['src/http/routes/posts.ts', '../../db/client.ts', 'http imports db'],
    ['src/jobs/sync.ts', '../adapters/queue.ts', 'jobs imports adapters'],
    ['src/http/routes/posts.ts', '../../app.ts', 'upwards from app'],
    ['src/app.ts', '../workers/api.ts', 'upwards from workers'],
    ['src/deps.ts', '../scripts/db/migrate.ts', 'not part of the Worker'],
    ['src/deps.ts', '../web/src/api/http.ts', 'not part of the Worker'],
    ['workers/api.ts', '../scripts/start.ts', 'not part of the Worker'],
    ['src/domain/periods.ts', '../../test/harness/deps.ts', 'there for tests'],
    ['src/domain/periods.ts', './ranges.test-helper.ts', 'there for tests'],
    ['src/domain/periods.ts', 'node:crypto', 'not on the list'],
    ['src/adapters/auth/cookie.ts', 'node:fs', 'not on the list'],
    ['src/adapters/hub.ts', 'cloudflare:workers', 'belongs in workers/'],
    ['src/domain/periods.ts', '/etc/passwd.ts', 'not part of the Worker'],
    ['web/src/api/http.ts', '../../../src/services/context.ts', 'the dashboard imports'],
    ['web/src/api/http.ts', '../../../src/http/wire.ts', 'as a value'],
  ])('%s may not import %s', (path, specifier, message) => {
    expect(messages(path, importing(specifier))).toEqual([expect.stringContaining(message)])
  })

  it('a file without a layer', () => {
    expect(messages('src/helpers.ts')).toEqual([expect.stringContaining('belongs to no layer')])
  })

  it.each([
    "import type { Db } from '../../db/client.ts'",
    "import { type Db } from '../../db/client.ts'",
    "export type { Db } from '../../db/client.ts'",
    "export * from '../../db/client.ts'",
    "import '../../db/client.ts'",
    "const db = await import('../../db/client.ts')",
    "let db: import('../../db/client.ts').Db",
    "let db: typeof import('../../db/client.ts')",
  ])('whatever the form: %s', (line) => {
    expect(messages('src/http/routes/posts.ts', line)).toEqual([expect.stringContaining('http imports db')])
  })

  it('names that are worked out at run time', () => {
    const line = 'const load = (name: string) => import(`./' + '$' + '{name}.ts`)'
    expect(messages('src/services/load.ts', line)).toEqual([expect.stringContaining('computed')])
  })
})

it('lets deps name the types of what it makes, and no more', () => {
  expect(messages('src/deps.ts', "import type { HttpDeps } from './http/context.ts'")).toEqual([])
  expect(messages('src/deps.ts', importing('./http/context.ts'))).toHaveLength(1)
  expect(messages('src/deps.ts', "import type { App } from './app.ts'")).toHaveLength(1)
  expect(messages('src/http/context.ts', "import type { AppDeps } from '../deps.ts'")).toHaveLength(1)
})

it('lets the dashboard import the types of the wire alone', () => {
  const path = 'web/src/api/http.ts'
  expect(messages(path, "import type { Me } from '../../../src/http/wire.ts'")).toEqual([])
  expect(messages(path, "import { type Me } from '../../../src/http/wire.ts'")).toHaveLength(1)
  expect(messages(path, "import type { C } from '../../../src/services/context.ts'")).toHaveLength(1)
})

it('points at the line and does not trip over comments, strings and JSX', () => {
  const source = [
    "// import { x } from '../db/client.ts'",
    'const text = "import { x } from \'../db/client.ts\'"',
    'export const view = <p>import</p>',
    "import { x } from '../../../src/db/client.ts'",
  ].join('\n')
  expect(checkLayers([{ path: 'web/src/ui/view.tsx', source }])).toMatchObject([
    { file: 'web/src/ui/view.tsx', line: 4, rule: 'layers' },
  ])
})

it('refuses to judge a file that it cannot read', () => {
  expect(() => messages('src/domain/broken.ts', 'const = ;')).toThrow('src/domain/broken.ts cannot be parsed')
})
