import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { buildWeb } from '../../build.ts'
import { REPOSITORY } from '../../check/files.ts'
import { migrate } from '../../db/migrate.ts'
import { type RawConfiguration, wellFormed } from '../configuration.ts'
import { examine } from '../doctor/index.ts'
import { registerSchedules } from '../schedules.ts'
import type { DeployTools, WorkerName } from './deploy.ts'
import { recallAddresses, rememberAddresses } from './memory.ts'
import { smokeTest, smokeTestSync } from './smoke-test.ts'
import { divideConfiguration, publicUrlOf } from './upload.ts'

const WRANGLER = join(REPOSITORY, 'node_modules/wrangler/bin/wrangler.js')
const CONFIGS: Record<WorkerName, string> = {
  api: join(REPOSITORY, 'wrangler.toml'),
  sync: join(REPOSITORY, 'workers/sync.toml'),
}
const WEB_DIRECTORY = join(REPOSITORY, 'dist/web')

/** What is really done when this checkout is deployed. */
export async function createDeployTools(raw: RawConfiguration): Promise<DeployTools> {
  const commit = raw.COMMIT ?? (await currentCommit())
  const withCommit = (configuration: RawConfiguration) =>
    commit === undefined ? configuration : { ...configuration, COMMIT: commit }
  let deployedCommit: string | undefined
  return {
    examine,
    log: console.log,
    async migrate({ MIGRATION_DATABASE_URL: ownerUrl, DATABASE_URL: appUrl }) {
      if (!ownerUrl || !appUrl)
        throw new Error('DATABASE_URL and MIGRATION_DATABASE_URL are needed to migrate')
      return (await migrate({ ownerUrl, appUrl, log: (line) => console.log(`     ${line}`) })).applied
    },
    async ensureBucket() {
      const { unstable_readConfig } = await import('wrangler')
      const { r2_buckets: buckets } = unstable_readConfig({ config: CONFIGS.api }, { hideWarnings: true })
      for (const { bucket_name: name } of buckets) {
        if (name === undefined) continue
        const isThere = await wrangler('api', ['r2', 'bucket', 'info', name], { isQuiet: true }).then(
          () => true,
          () => false,
        )
        if (!isThere) await wrangler('api', ['r2', 'bucket', 'create', name])
      }
    },
    buildWeb: () => buildWeb({ outdir: WEB_DIRECTORY }),
    bundle: (configuration) =>
      inTemporaryDirectory(async (directory) => {
        const web = join(directory, 'web')
        await buildWeb({ outdir: web })
        const { variables } = divideConfiguration(withCommit(configuration))
        const dryRun = (worker: WorkerName, more: string[]) =>
          wrangler(worker, [
            'deploy',
            '--dry-run',
            '--outdir',
            join(directory, worker),
            ...more,
            ...variables,
          ])
        await dryRun('api', ['--assets', web])
        await dryRun('sync', [])
      }),
    upload: (worker, configuration) =>
      inTemporaryDirectory(async (directory) => {
        const { variables, secrets } = divideConfiguration(withCommit(configuration))
        const [secretsFile, outputFile] = [join(directory, 'secrets.json'), join(directory, 'output')]
        await writeFile(secretsFile, JSON.stringify(secrets), { mode: 0o600 })
        await wrangler(worker, ['deploy', '--secrets-file', secretsFile, ...variables], {
          environment: { WRANGLER_OUTPUT_FILE_PATH: outputFile },
        })
        deployedCommit = commit
        return publicUrlOf(await readFile(outputFile, 'utf8'))
      }),
    rollback: (worker, versionId) =>
      wrangler(worker, [
        'rollback',
        ...(versionId === null ? [] : [versionId]),
        '--yes',
        '--message',
        'npm run deploy',
      ]),
    registerSchedules(configuration, callbacksUrl) {
      const { QSTASH_URL: qstashUrl, QSTASH_TOKEN: token } = wellFormed(configuration)
      if (!qstashUrl || !token) throw new Error('QSTASH_TOKEN is needed to register the schedules')
      return registerSchedules({ qstashUrl, token, callbacksUrl })
    },
    smokeTest: (publicUrl) => smokeTest(publicUrl, { commit: deployedCommit }),
    smokeTestSync: (callbacksUrl) => smokeTestSync(callbacksUrl, { commit: deployedCommit }),
    recallAddresses,
    rememberAddresses,
  }
}

/** The commit of this checkout, marked where it is not all that is deployed; `undefined` without git. */
async function currentCommit(): Promise<string | undefined> {
  const git = async (...args: string[]) =>
    (await promisify(execFile)('git', args, { cwd: REPOSITORY })).stdout.trim()
  try {
    const commit = await git('rev-parse', '--short=12', 'HEAD')
    return (await git('status', '--porcelain')) === '' ? commit : `${commit}-dirty`
  } catch {
    return undefined
  }
}

interface WranglerOptions {
  environment?: Record<string, string>
  isQuiet?: boolean
}

/** @throws when wrangler fails; it has said why. */
async function wrangler(
  worker: WorkerName,
  args: readonly string[],
  options: WranglerOptions = {},
): Promise<void> {
  const child = spawn(process.execPath, [WRANGLER, ...args, '--config', CONFIGS[worker]], {
    cwd: REPOSITORY,
    stdio: options.isQuiet ? 'ignore' : 'inherit',
    env: { ...process.env, WRANGLER_HIDE_BANNER: 'true', ...options.environment },
  })
  const [code]: unknown[] = await once(child, 'close')
  if (code !== 0) throw new Error(`wrangler ${args.slice(0, 3).join(' ')} failed`)
}

/** Gives a directory that nobody else may read, and that is gone afterwards, also after Ctrl-C. */
async function inTemporaryDirectory<T>(work: (directory: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'tidemark-deploy-'))
  const remove = () => rmSync(directory, { recursive: true, force: true })
  const stop = () => process.exit(130)
  process.once('exit', remove).once('SIGINT', stop).once('SIGTERM', stop)
  try {
    return await work(directory)
  } finally {
    remove()
    process.off('exit', remove).off('SIGINT', stop).off('SIGTERM', stop)
  }
}
