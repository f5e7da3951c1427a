import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { REPOSITORY } from '../../check/files.ts'
import { listen, sendJson } from '../../local/lib/http-server.ts'
import { ok, problem, solvedByDeploying } from '../report.ts'
import { type DeployTools, deploy, rehearse, rollBack } from './deploy.ts'
import { parseDeployArguments } from './options.ts'
import { smokeTest, smokeTestSync } from './smoke-test.ts'
import { divideConfiguration, publicUrlOf } from './upload.ts'

const PUBLIC_URL = 'https://tidemark.example'
const CALLBACKS_URL = 'https://sync.tidemark.example'
const BOTH = { PUBLIC_URL, CALLBACKS_URL }
const FOUND = 'https://tidemark.team.workers.dev'
const FOUND_SYNC = 'https://tidemark-sync.team.workers.dev'

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
    upload: (worker, raw) =>
      note(`upload ${worker} ${raw.PUBLIC_URL} ${raw.CALLBACKS_URL}`, worker === 'api' ? FOUND : FOUND_SYNC),
    rollback: (worker, versionId) => note(`rollback ${worker} ${versionId}`, undefined),
    registerSchedules: (_, callbacksUrl) =>
      note(`schedules ${callbacksUrl}`, { created: [], updated: [], unchanged: [] }),
    smokeTest: (publicUrl) => note(`try ${publicUrl}`, 'It lives.'),
    smokeTestSync: (callbacksUrl) => note(`try sync ${callbacksUrl}`, 'It lives, too.'),
    recallAddresses: () => Promise.resolve({}),
    rememberAddresses: (found) => note(`remember ${Object.values(found).join(' ')}`, undefined),
    log: (line) => lines.push(line),
    ...change,
  }
  return { tools, done, text: () => lines.join('\n') }
}

const uploadsOf = (done: string[]) => done.filter((step) => step.startsWith('upload'))

describe('deploying', () => {
  it('takes every step, in order', async () => {
    const { tools, done, text } = recordingTools()
    await deploy(BOTH, tools)
    expect(done).toEqual([
      `examine ${PUBLIC_URL}`,
      'bucket',
      'web',
      'migrate',
      // The Durable Object's Worker before the one that calls it.
      `upload api ${PUBLIC_URL} ${CALLBACKS_URL}`,
      `upload sync ${PUBLIC_URL} ${CALLBACKS_URL}`,
      `schedules ${CALLBACKS_URL}`,
      `try ${PUBLIC_URL}`,
      `try sync ${CALLBACKS_URL}`,
    ])
    expect(text()).toMatch(/Tidemark is at https:\/\/tidemark\.example$/)
  })

  it('tells the Workers their addresses where nobody did, and remembers them', async () => {
    const { tools, done } = recordingTools()
    await deploy({}, tools)
    expect(done).toEqual([
      'examine undefined',
      'bucket',
      'web',
      'migrate',
      'upload api undefined undefined',
      `upload sync ${FOUND} undefined`,
      `upload api ${FOUND} ${FOUND_SYNC}`,
      `upload sync ${FOUND} ${FOUND_SYNC}`,
      `remember ${FOUND} ${FOUND_SYNC}`,
      `schedules ${FOUND_SYNC}`,
      `try ${FOUND}`,
      `try sync ${FOUND_SYNC}`,
    ])
    const recalled = { PUBLIC_URL: FOUND, CALLBACKS_URL: FOUND_SYNC }
    const again = recordingTools({ recallAddresses: () => Promise.resolve(recalled) })
    await deploy({}, again.tools)
    expect(uploadsOf(again.done)).toEqual([
      `upload api ${FOUND} ${FOUND_SYNC}`,
      `upload sync ${FOUND} ${FOUND_SYNC}`,
    ])
  })

  it.each([
    [
      { PUBLIC_URL },
      [
        `upload api ${PUBLIC_URL} undefined`,
        `upload sync ${PUBLIC_URL} undefined`,
        `upload api ${PUBLIC_URL} ${FOUND_SYNC}`,
        `upload sync ${PUBLIC_URL} ${FOUND_SYNC}`,
        `remember ${FOUND_SYNC}`,
      ],
    ],
    [
      { CALLBACKS_URL },
      [
        `upload api undefined ${CALLBACKS_URL}`,
        `upload sync ${FOUND} ${CALLBACKS_URL}`,
        `upload api ${FOUND} ${CALLBACKS_URL}`,
        `remember ${FOUND}`,
      ],
    ],
  ])('finds out one address where the other is known: %j', async (raw, expected) => {
    const { tools, done } = recordingTools()
    await deploy(raw, tools)
    expect(done.filter((step) => /^(upload|remember)/.test(step))).toEqual(expected)
  })

  it('asks the first Worker alone where callbacks go to it, too', async () => {
    const { tools, done } = recordingTools()
    await deploy({ PUBLIC_URL, CALLBACKS_URL: PUBLIC_URL }, tools)
    expect(done.slice(-2)).toEqual([`schedules ${PUBLIC_URL}`, `try ${PUBLIC_URL}`])
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
    expect(uploadsOf(done)).toEqual([])
  })

  it('says how to go back where the Worker does not work', async () => {
    const { tools } = recordingTools({ smokeTest: () => Promise.reject(new Error('it answers 500')) })
    await expect(deploy({ PUBLIC_URL }, tools)).rejects.toThrow(/it answers 500\n.*--rollback/)
  })

  it('fails where there is no address to be had', async () => {
    const { tools } = recordingTools({ upload: () => Promise.resolve(null) })
    await expect(deploy({}, tools)).rejects.toThrow('Set PUBLIC_URL')
    await expect(deploy({ PUBLIC_URL }, tools)).rejects.toThrow('Set CALLBACKS_URL')
  })
})

describe('rehearsing', () => {
  it('examines and bundles, and says the rest', async () => {
    const { tools, done, text } = recordingTools()
    await rehearse(BOTH, tools)
    expect(done).toEqual([`examine ${PUBLIC_URL}`, 'bundle'])
    expect(text()).toContain(`for ${PUBLIC_URL} and ${CALLBACKS_URL}`)
    expect(text()).toContain(`tidemark-sync-plan  * * * * *  ${CALLBACKS_URL}/callbacks/sync/plan`)
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
  it('puts versions of both back and tries them out', async () => {
    const { tools, done } = recordingTools()
    await rollBack(BOTH, { api: 'abc', sync: 'def' }, false, tools)
    expect(done).toEqual([
      'rollback api abc',
      'rollback sync def',
      `try ${PUBLIC_URL}`,
      `try sync ${CALLBACKS_URL}`,
    ])
    const blind = recordingTools()
    await rollBack({}, null, false, blind.tools)
    expect(blind.done).toEqual(['rollback api null', 'rollback sync null'])
  })

  it('says which of the two is back where the other cannot be', async () => {
    const { tools } = recordingTools({
      rollback: (worker) => (worker === 'api' ? Promise.resolve() : Promise.reject(new Error('no version'))),
    })
    await expect(rollBack(BOTH, null, false, tools)).rejects.toThrow(/no version\n.*people ask is back/)
  })

  it('only says so in a rehearsal', async () => {
    const { tools, done, text } = recordingTools()
    await rollBack({ PUBLIC_URL }, null, true, tools)
    expect(done).toEqual([])
    expect(text()).toContain('Would put the versions before of both Workers back')
  })
})

describe('the command line', () => {
  it.each([
    [[], { kind: 'deploy', isDryRun: false }],
    [['--dry-run'], { kind: 'deploy', isDryRun: true }],
    [['--rollback'], { kind: 'rollback', isDryRun: false, versionIds: null }],
    [
      ['--rollback', 'abc', 'def', '--dry-run'],
      { kind: 'rollback', isDryRun: true, versionIds: { api: 'abc', sync: 'def' } },
    ],
    [['-h'], { kind: 'help' }],
  ])('%j', (args, expected) => {
    expect(parseDeployArguments(args)).toEqual(expected)
  })

  it.each([[['--force']], [['production']], [['--rollback', 'a']], [['--rollback', 'a', 'b', 'c']]])(
    'refuses %j',
    (args) => {
      expect(() => parseDeployArguments(args)).toThrow()
    },
  )
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

it('the Workers run in the same runtime, and have the same bucket and Durable Object', async () => {
  const settingsOf = async (file: string) => {
    const text = await readFile(join(REPOSITORY, file), 'utf8')
    const setting = (name: string) => new RegExp(`^${name} = (.+)$`, 'm').exec(text)?.[1]
    return {
      name: setting('name'),
      objectsOf: setting('script_name'),
      shared: ['compatibility_date', 'compatibility_flags', 'bucket_name', 'class_name'].map(setting),
    }
  }
  const [api, sync] = await Promise.all(['wrangler.toml', 'workers/sync.toml'].map(settingsOf))
  expect(api?.shared).not.toContain(undefined)
  expect(sync?.shared).toEqual(api?.shared)
  expect(sync?.objectsOf).toBe(api?.name)
  expect(sync?.name).not.toBe(api?.name)
})

describe('the smoke test', () => {
  const patience = { patienceMs: 2_000, intervalMs: 5 }
  const impatience = { patienceMs: 20, intervalMs: 5 }

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

  it('asks the sync Worker whether it lives, and no more', async () => {
    const url = await serve([[404, 'not yet'], alive], [[404, {}]])
    expect(await smokeTestSync(url, { ...patience, commit: 'abc' })).toBe(
      'Its background work, version 1.2.3 (abc), lives.',
    )
    await expect(smokeTestSync(url, { ...impatience, commit: 'def' })).rejects.toThrow(
      'commit abc answers, not def',
    )
  })

  it('says that somebody should sign up, where nobody has', async () => {
    const url = await serve([alive], [ready], false)
    expect(await smokeTest(url, patience)).toMatch(
      /reaches what it needs\. Nobody has signed up yet: do it now/,
    )
  })

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
