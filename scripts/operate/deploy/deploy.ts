import { SCHEDULES, scheduleDestination } from '../../../src/domain/schedules.ts'
import type { RawConfiguration } from '../configuration.ts'
import { type CheckResult, formatReport, messageOf } from '../report.ts'
import type { RegisterResult } from '../schedules.ts'
import type { Addresses } from './memory.ts'
import type { VersionIds } from './options.ts'

/** The Worker that people ask, and the one that the queue calls. */
export type WorkerName = 'api' | 'sync'

/** What a deployment does to the world; a dry run does `examine` and `bundle` alone. */
export interface DeployTools {
  examine(raw: RawConfiguration): Promise<CheckResult[]>
  /** Names of migrations that were applied. */
  migrate(raw: RawConfiguration): Promise<string[]>
  /** Makes the bucket if it is not there. */
  ensureBucket(): Promise<void>
  buildWeb(): Promise<void>
  /** Bundles both Workers as `upload` would, without sending them. */
  bundle(raw: RawConfiguration): Promise<void>
  /** Sends a Worker and its configuration; gives the address under which Cloudflare has it. */
  upload(worker: WorkerName, raw: RawConfiguration): Promise<string | null>
  rollback(worker: WorkerName, versionId: string | null): Promise<void>
  registerSchedules(raw: RawConfiguration, callbacksUrl: string): Promise<RegisterResult>
  /** @throws when the Worker does not answer as it should. */
  smokeTest(publicUrl: string): Promise<string>
  /** @throws when the sync Worker does not answer as it should. */
  smokeTestSync(callbacksUrl: string): Promise<string>
  /** The addresses that an earlier deployment found, for where the configuration says none. */
  recallAddresses(): Promise<Addresses>
  rememberAddresses(found: Addresses): Promise<void>
  log(line: string): void
}

/**
 * Puts this checkout into production. Every step may be repeated, so that after a failure the whole may be
 * run again.
 * @throws naming what failed; what was done before stays done.
 */
export async function deploy(raw: RawConfiguration, tools: DeployTools): Promise<void> {
  const { log } = tools
  const known = await withAddresses(raw, tools)
  log('1/7  Examining')
  requireNoProblems(await tools.examine(known), log)
  // What can fail without harm comes before what cannot be taken back.
  log('2/7  Making sure of the bucket')
  await tools.ensureBucket()
  log('3/7  Building the dashboard')
  await tools.buildWeb()
  log('4/7  Migrating the database')
  const applied = await tools.migrate(known)
  log(applied.length === 0 ? '     It is up to date.' : `     Applied ${applied.join(', ')}.`)
  log('5/7  Deploying the Workers')
  const { configuration, publicUrl, callbacksUrl } = await uploadBoth(known, tools)
  log('6/7  Registering the schedules')
  const { created, updated, unchanged } = await tools.registerSchedules(configuration, callbacksUrl)
  log(`     ${created.length} made, ${updated.length} changed, ${unchanged.length} as they were.`)
  log('7/7  Trying it out')
  try {
    await tryOut({ PUBLIC_URL: publicUrl, CALLBACKS_URL: callbacksUrl }, tools)
  } catch (error) {
    const advice =
      'They are in place all the same: `npm run deploy -- --rollback` puts the versions before back.'
    throw new Error(`${messageOf(error)}\n${advice}`, { cause: error })
  }
  log(`\nTidemark is at ${publicUrl}`)
}

/**
 * Sends both Workers, the one first that has the Durable Object of both, and those again that did not know an
 * address yet.
 */
async function uploadBoth(
  known: RawConfiguration,
  tools: DeployTools,
): Promise<{ configuration: RawConfiguration; publicUrl: string; callbacksUrl: string }> {
  const publicUrl = known.PUBLIC_URL ?? (await tools.upload('api', known))
  if (publicUrl === null) throw new Error('Cloudflare gives no address. Set PUBLIC_URL, and deploy again.')
  if (known.PUBLIC_URL) await tools.upload('api', known)
  else tools.log(`     It is at ${publicUrl}.`)
  const withPublicUrl = { ...known, PUBLIC_URL: publicUrl }
  const foundSync = await tools.upload('sync', withPublicUrl)
  const callbacksUrl = known.CALLBACKS_URL ?? foundSync
  if (callbacksUrl === null)
    throw new Error('Cloudflare gives the sync Worker no address. Set CALLBACKS_URL, and deploy again.')
  if (!known.CALLBACKS_URL) tools.log(`     Its background work is at ${callbacksUrl}.`)
  const configuration = { ...withPublicUrl, CALLBACKS_URL: callbacksUrl }
  if (known.PUBLIC_URL && known.CALLBACKS_URL) return { configuration, publicUrl, callbacksUrl }

  tools.log('     Deploying once more, so that they know.')
  await tools.upload('api', configuration)
  if (!known.CALLBACKS_URL) await tools.upload('sync', configuration)
  await tools.rememberAddresses({
    ...(!known.PUBLIC_URL && { PUBLIC_URL: publicUrl }),
    ...(!known.CALLBACKS_URL && { CALLBACKS_URL: callbacksUrl }),
  })
  return { configuration, publicUrl, callbacksUrl }
}

/** Says what `deploy` would do. @throws when it could not be done. */
export async function rehearse(raw: RawConfiguration, tools: DeployTools): Promise<void> {
  const { log } = tools
  const configuration = await withAddresses(raw, tools)
  const { PUBLIC_URL: publicUrl, CALLBACKS_URL: callbacksUrl } = configuration
  log('1/7  Examining')
  const results = await tools.examine(configuration)
  log(indent(formatReport(results)))
  log('2/7  Would make the bucket of wrangler.toml, unless it is there')
  log('3/7  Would build the dashboard into dist/web')
  const pending = results.find(({ area, isSolvedByDeploying }) => area === 'schema' && isSolvedByDeploying)
  log(`4/7  Would migrate the database: ${pending?.finding ?? 'nothing is known to be pending'}`)
  log('5/7  Would deploy the Workers; bundling them')
  await tools.bundle(configuration)
  log(
    `     ${publicUrl && callbacksUrl ? `for ${publicUrl} and ${callbacksUrl}` : 'twice, since not all addresses are known before the first time'}`,
  )
  log('6/7  Would register the schedules:')
  for (const schedule of SCHEDULES) {
    const destination = scheduleDestination(callbacksUrl ?? 'https://the-address-that-is-found', schedule)
    log(`     ${schedule.id}  ${schedule.cron}  ${destination}`)
  }
  log(`7/7  Would ask ${publicUrl ?? 'the address'} for /healthz and /readyz, and the other for /healthz`)
  log('\nNothing was changed.')
  requireNoProblems(results, () => {})
}

/**
 * Puts earlier versions of both Workers back. Migrations stay: they are made so that the version before can live
 * with them.
 * @param versionIds `null`: the versions before
 */
export async function rollBack(
  raw: RawConfiguration,
  versionIds: VersionIds | null,
  isDryRun: boolean,
  tools: DeployTools,
): Promise<void> {
  const addresses = await withAddresses(raw, tools)
  const versions =
    versionIds === null ? 'the versions before' : `versions ${versionIds.api} and ${versionIds.sync}`
  if (isDryRun) {
    const at = addresses.PUBLIC_URL ? ` at ${addresses.PUBLIC_URL}` : ''
    tools.log(`Would put ${versions} of both Workers back in place, and try them out${at}.`)
    return
  }
  tools.log(`1/2  Putting ${versions} back in place`)
  await tools.rollback('api', versionIds?.api ?? null)
  try {
    await tools.rollback('sync', versionIds?.sync ?? null)
  } catch (error) {
    const state = 'The Worker that people ask is back; the one that the queue calls is as it was.'
    throw new Error(`${messageOf(error)}\n${state}`, { cause: error })
  }
  tools.log('2/2  Trying them out')
  await tryOut(addresses, tools)
}

async function withAddresses(raw: RawConfiguration, tools: DeployTools): Promise<RawConfiguration> {
  return { ...(await tools.recallAddresses()), ...raw }
}

async function tryOut(addresses: Addresses, tools: DeployTools): Promise<void> {
  const { PUBLIC_URL: publicUrl, CALLBACKS_URL: callbacksUrl } = addresses
  if (publicUrl) tools.log(`     ${await tools.smokeTest(publicUrl)}`)
  else tools.log('     PUBLIC_URL is not set, so this is left to you.')
  // Callbacks may go to the first Worker: what the second would say is of no interest then.
  if (callbacksUrl && callbacksUrl !== publicUrl) tools.log(`     ${await tools.smokeTestSync(callbacksUrl)}`)
}

function requireNoProblems(results: readonly CheckResult[], log: (line: string) => void): void {
  const standing = results.filter(
    ({ status, isSolvedByDeploying }) => status !== 'ok' && !isSolvedByDeploying,
  )
  if (standing.length > 0) log(indent(formatReport(standing)))
  const count = standing.filter(({ status }) => status === 'problem').length
  if (count > 0) throw new Error(`${count} of these must be put right before deploying.`)
}

function indent(text: string): string {
  return text.replace(/^(?=.)/gm, '     ')
}
