import { describe, expect, it, onTestFinished } from 'vitest'
import { listen, sendJson } from '../../local/lib/http-server.ts'
import { ok, problem, solvedByDeploying } from '../report.ts'
import { type DeployTools, deploy, rehearse, rollBack } from './deploy.ts'
import { parseDeployArguments } from './options.ts'
import { smokeTest } from './smoke-test.ts'
import { divideConfiguration, publicUrlOf } from './upload.ts'

const PUBLIC_URL = 'https://tidemark.example'
const FOUND = 'https://tidemark.team.workers.dev'

/** Tools that do nothing but note that they were used. */
function recordingTools(change: Partial<DeployTools> = {}) {
  const done: string[] = []
  const lines: string[] = []
  const note = <T>(what: string, value: T) => {
    done.push(what)
    return Promise.resolve(value)
  }
  const tools: DeployTools = {
    examine: (raw) => note(`examine ${raw.PUBLIC_URL}`, [ok('redis', 'answers')]),
    migrate: () => note('migrate', []),
    ensureBucket: () => note('bucket', undefined),
    buildWeb: () => note('web', undefined),
    bundle: () => note('bundle', undefined),
    upload: (raw) => note(`upload ${raw.PUBLIC_URL}`, FOUND),
    rollback: (versionId) => note(`rollback ${versionId}`, undefined),
    registerSchedules: (_, publicUrl) =>
      note(`schedules ${publicUrl}`, { created: [], updated: [], unchanged: [] }),
    smokeTest: (publicUrl) => note(`try ${publicUrl}`, 'It lives.'),
    recallPublicUrl: () => Promise.resolve(null),
    rememberPublicUrl: (publicUrl) => note(`remember ${publicUrl}`, undefined),
    log: (line) => lines.push(line),
    ...change,
  }
  return { tools, done, text: () => lines.join('\n') }
}

describe('deploying', () => {
  it('takes every step, in order', async () => {
    const { tools, done, text } = recordingTools()
    await deploy({ PUBLIC_URL }, tools)
    expect(done).toEqual([
      `examine ${PUBLIC_URL}`,
      'bucket',
      'web',
      'migrate',
      `upload ${PUBLIC_URL}`,
      `schedules ${PUBLIC_URL}`,
      `try ${PUBLIC_URL}`,
    ])
    expect(text()).toMatch(/Tidemark is at https:\/\/tidemark\.example$/)
  })

  it('tells the Worker its address where nobody did, and remembers it', async () => {
    const { tools, done } = recordingTools()
    await deploy({}, tools)
    expect(done).toEqual([
      'examine undefined',
      'bucket',
      'web',
      'migrate',
      'upload undefined',
      `upload ${FOUND}`,
      `remember ${FOUND}`,
      `schedules ${FOUND}`,
      `try ${FOUND}`,
    ])
    const again = recordingTools({ recallPublicUrl: () => Promise.resolve(FOUND) })
    await deploy({}, again.tools)
    expect(again.done.filter((step) => step.startsWith('upload'))).toEqual([`upload ${FOUND}`])
  })

  it('touches nothing where the doctor finds a problem that deploying does not solve', async () => {
    const expected = solvedByDeploying(problem('schema', 'not yet applied: 0001_b', 'migrate'))
    const harmless = recordingTools({ examine: () => Promise.resolve([expected]) })
    await deploy({ PUBLIC_URL }, harmless.tools)
    expect(harmless.done).toContain('migrate')
    const { tools, done, text } = recordingTools({
      examine: () => Promise.resolve([expected, problem('redis', 'is gone', 'look')]),
    })
    await expect(deploy({ PUBLIC_URL }, tools)).rejects.toThrow('1 of these must be put right')
    expect(done).toEqual([])
    expect(text()).toContain('is gone')
    expect(text()).not.toContain('not yet applied')
  })

  it('does not upload where migrating fails', async () => {
    const { tools, done } = recordingTools({ migrate: () => Promise.reject(new Error('no lock')) })
    await expect(deploy({ PUBLIC_URL }, tools)).rejects.toThrow('no lock')
    expect(done.filter((step) => step.startsWith('upload'))).toEqual([])
  })

  it('says how to go back where the Worker does not work', async () => {
    const { tools } = recordingTools({ smokeTest: () => Promise.reject(new Error('it answers 500')) })
    await expect(deploy({ PUBLIC_URL }, tools)).rejects.toThrow(/it answers 500\n.*--rollback/)
  })

  it('fails where there is no address to be had', async () => {
    const { tools } = recordingTools({ upload: () => Promise.resolve(null) })
    await expect(deploy({}, tools)).rejects.toThrow('Set PUBLIC_URL')
  })
})

describe('rehearsing', () => {
  it('examines and bundles, and says the rest', async () => {
    const { tools, done, text } = recordingTools()
    await rehearse({ PUBLIC_URL }, tools)
    expect(done).toEqual([`examine ${PUBLIC_URL}`, 'bundle'])
    expect(text()).toContain(`tidemark-sync-plan  * * * * *  ${PUBLIC_URL}/callbacks/sync/plan`)
    expect(text()).toMatch(/Nothing was changed\.$/)
  })

  it('goes to the end, and fails, where something stands in the way', async () => {
    const { tools, done, text } = recordingTools({
      examine: () => Promise.resolve([problem('redis', 'is gone', 'look')]),
    })
    await expect(rehearse({}, tools)).rejects.toThrow('1 of these must be put right')
    expect(done).toEqual(['bundle'])
    expect(text()).toContain('Nothing was changed.')
  })
})

describe('rolling back', () => {
  it('puts a version back and tries it out', async () => {
    const { tools, done } = recordingTools()
    await rollBack({ PUBLIC_URL }, 'abc', false, tools)
    expect(done).toEqual(['rollback abc', `try ${PUBLIC_URL}`])
    const blind = recordingTools()
    await rollBack({}, null, false, blind.tools)
    expect(blind.done).toEqual(['rollback null'])
  })

  it('only says so in a rehearsal', async () => {
    const { tools, done, text } = recordingTools()
    await rollBack({ PUBLIC_URL }, null, true, tools)
    expect(done).toEqual([])
    expect(text()).toContain('Would put the version before back')
  })
})

describe('the command line', () => {
  it.each([
    [[], { kind: 'deploy', isDryRun: false }],
    [['--dry-run'], { kind: 'deploy', isDryRun: true }],
    [['--rollback'], { kind: 'rollback', isDryRun: false, versionId: null }],
    [['--rollback', 'abc', '--dry-run'], { kind: 'rollback', isDryRun: true, versionId: 'abc' }],
    [['-h'], { kind: 'help' }],
  ])('%j', (args, expected) => {
    expect(parseDeployArguments(args)).toEqual(expected)
  })

  it.each([[['--force']], [['production']], [['--rollback', 'a', 'b']]])('refuses %j', (args) => {
    expect(() => parseDeployArguments(args)).toThrow()
  })
})

describe('uploading', () => {
  it('keeps secrets out of sight, and what only operators need out of the Worker', () => {
    const raw = {
      DATABASE_URL: 'postgresql://worker:x@db/t',
      MIGRATION_DATABASE_URL: 'postgresql://owner:x@db/t',
      PUBLIC_URL,
      RATE_LIMITS: 'reads=600/60',
    }
    expect(divideConfiguration(raw)).toEqual({
      variables: ['--var', `PUBLIC_URL:${PUBLIC_URL}`, '--var', 'RATE_LIMITS:reads=600/60'],
      secrets: { DATABASE_URL: 'postgresql://worker:x@db/t' },
    })
  })

  it.each([
    [[FOUND], FOUND],
    [[FOUND, 'tidemark.example (custom domain)'], 'https://tidemark.example'],
    [['tidemark.example (custom domain - zone name: example)'], 'https://tidemark.example'],
    [['tidemark.example/* (zone name: example)', 'schedule: * * * * *'], null],
    [[], null],
  ])('finds the address among %j', (targets, expected) => {
    const lines = [
      { type: 'wrangler-session', version: 1 },
      { type: 'deploy', version: 1, targets },
    ]
    expect(publicUrlOf(`${lines.map((line) => JSON.stringify(line)).join('\n')}\n`)).toBe(expected)
  })

  it('finds none where wrangler did not deploy', () => {
    expect(publicUrlOf('')).toBeNull()
    expect(publicUrlOf('{"type":"deploy","version":1,"version_id":null}\n')).toBeNull()
  })
})

describe('the smoke test', () => {
  const patience = { patienceMs: 2_000, intervalMs: 5 }

  /** A Worker that gives these answers to /healthz and /readyz, the last of each for ever. */
  async function serve(health: [number, unknown][], ready: [number, unknown][], claimed = true) {
    const answers: Record<string, [number, unknown][]> = {
      '/healthz': health,
      '/readyz': ready,
      '/api/v1/public/deployment': [[200, { signup: 'invite', claimed, mail: false }]],
    }
    const server = await listen(async (req, res) => {
      const queue = answers[req.url ?? ''] ?? []
      const [status, body] = (queue.length > 1 ? queue.shift() : queue[0]) ?? [404, {}]
      sendJson(res, status, body)
    })
    onTestFinished(() => server.close())
    return server.url
  }
  const alive: [number, unknown] = [
    200,
    { status: 'ok', version: '1.2.3', commit: 'abc', schemaVersion: '0001' },
  ]
  const ready: [number, unknown] = [200, { status: 'ready', checks: { database: 'ok' } }]

  it('waits until the Worker lives and is ready', async () => {
    const url = await serve([[404, 'not yet'], alive], [[503, { status: 'degraded' }], ready])
    expect(await smokeTest(url, { ...patience, commit: 'abc' })).toBe(
      'Version 1.2.3 (abc) lives, and reaches what it needs.',
    )
  })

  it('says that somebody should sign up, where nobody has', async () => {
    const url = await serve([alive], [ready], false)
    expect(await smokeTest(url, patience)).toMatch(
      /reaches what it needs\. Nobody has signed up yet: do it now/,
    )
  })

  const impatience = { patienceMs: 20, intervalMs: 5 }
  it.each([
    [
      [[503, { problems: ['PUBLIC_URL is missing'] }]],
      [ready],
      {},
      '/healthz answers 503: PUBLIC_URL is missing',
    ],
    [[[200, '<html>']], [ready], {}, '/healthz answers 200'],
    [
      [alive],
      [[503, { status: 'degraded', checks: { database: 'down', redis: 'ok' } }]],
      {},
      'not reach: database',
    ],
    [[alive], [ready], { commit: 'def' }, 'commit abc answers, not def'],
  ] satisfies [[number, unknown][], [number, unknown][], object, string][])(
    'gives up with the last answer: %j %j %j',
    async (health, readiness, options, message) => {
      const url = await serve(health, readiness)
      await expect(smokeTest(url, { ...impatience, ...options })).rejects.toThrow(message)
    },
  )
})
