import { SCHEDULES, scheduleDestination } from '../../../src/domain/schedules.ts'
import type { RawConfiguration } from '../configuration.ts'
import { type CheckResult, formatReport } from '../report.ts'
import type { RegisterResult } from '../schedules.ts'

/** What a deployment does to the world; a dry run does `examine` and `bundle` alone. */
export interface DeployTools {
  examine(raw: RawConfiguration): Promise<CheckResult[]>
  /** Names of migrations that were applied. */
  migrate(raw: RawConfiguration): Promise<string[]>
  /** Makes the bucket if it is not there. */
  ensureBucket(): Promise<void>
  buildWeb(): Promise<void>
  /** Bundles the Worker as `upload` would, without sending it. */
  bundle(raw: RawConfiguration): Promise<void>
  /** Sends the Worker and its configuration; gives the address under which Cloudflare has it. */
  upload(raw: RawConfiguration): Promise<string | null>
  rollback(versionId: string | null): Promise<void>
  registerSchedules(raw: RawConfiguration, publicUrl: string): Promise<RegisterResult>
  /** @throws when the Worker does not answer as it should. */
  smokeTest(publicUrl: string): Promise<string>
  /** The address that an earlier deployment found, where PUBLIC_URL says none. */
  recallPublicUrl(): Promise<string | null>
  rememberPublicUrl(publicUrl: string): Promise<void>
  log(line: string): void
}

/**
 * Puts this checkout into production. Every step may be repeated, so that after a failure the whole may be
 * run again.
 * @throws naming what failed; what was done before stays done.
 */
export async function deploy(raw: RawConfiguration, tools: DeployTools): Promise<void> {
  const { log } = tools
  let configuration = await withPublicUrl(raw, tools)
  log('1/7  Examining')
  requireNoProblems(await tools.examine(configuration), log)
  // What can fail without harm comes before what cannot be taken back.
  log('2/7  Making sure of the bucket')
  await tools.ensureBucket()
  log('3/7  Building the dashboard')
  await tools.buildWeb()
  log('4/7  Migrating the database')
  const applied = await tools.migrate(configuration)
  log(applied.length === 0 ? '     It is up to date.' : `     Applied ${applied.join(', ')}.`)
  log('5/7  Deploying the Worker')
  const found = await tools.upload(configuration)
  if (!configuration.PUBLIC_URL) {
    if (found === null) throw new Error('Cloudflare gives no address. Set PUBLIC_URL, and deploy again.')
    log(`     It is at ${found}. Deploying once more, so that it knows.`)
    configuration = { ...configuration, PUBLIC_URL: found }
    await tools.upload(configuration)
    await tools.rememberPublicUrl(found)
  }
  const publicUrl = configuration.PUBLIC_URL ?? ''
  log('6/7  Registering the schedules')
  const { created, updated, unchanged } = await tools.registerSchedules(configuration, publicUrl)
  log(`     ${created.length} made, ${updated.length} changed, ${unchanged.length} as they were.`)
  log('7/7  Trying it out')
  await tryOut(publicUrl, tools)
  log(`\nTidemark is at ${publicUrl}`)
}

/** Says what `deploy` would do. @throws when it could not be done. */
export async function rehearse(raw: RawConfiguration, tools: DeployTools): Promise<void> {
  const { log } = tools
  const configuration = await withPublicUrl(raw, tools)
  const publicUrl = configuration.PUBLIC_URL
  log('1/7  Examining')
  const results = await tools.examine(configuration)
  log(indent(formatReport(results)))
  log('2/7  Would make the bucket of wrangler.toml, unless it is there')
  log('3/7  Would build the dashboard into dist/web')
  const pending = results.find(({ area, isSolvedByDeploying }) => area === 'schema' && isSolvedByDeploying)
  log(`4/7  Would migrate the database: ${pending?.finding ?? 'nothing is known to be pending'}`)
  log('5/7  Would deploy the Worker; bundling it')
  await tools.bundle(configuration)
  log(
    `     ${publicUrl ? `for ${publicUrl}` : 'twice, since its address is not known before the first time'}`,
  )
  log('6/7  Would register the schedules:')
  for (const schedule of SCHEDULES) {
    const destination = scheduleDestination(publicUrl ?? 'https://the-address-that-is-found', schedule)
    log(`     ${schedule.id}  ${schedule.cron}  ${destination}`)
  }
  log(`7/7  Would ask ${publicUrl ?? 'that address'} for /healthz and /readyz`)
  log('\nNothing was changed.')
  requireNoProblems(results, () => {})
}

/** Puts an earlier version back. Migrations stay: they are made so that the version before can live with them. */
export async function rollBack(
  raw: RawConfiguration,
  versionId: string | null,
  isDryRun: boolean,
  tools: DeployTools,
): Promise<void> {
  const publicUrl = (await withPublicUrl(raw, tools)).PUBLIC_URL
  const version = versionId === null ? 'the version before' : `version ${versionId}`
  if (isDryRun) {
    tools.log(`Would put ${version} back in place, and try it out${publicUrl ? ` at ${publicUrl}` : ''}.`)
    return
  }
  tools.log(`1/2  Putting ${version} back in place`)
  await tools.rollback(versionId)
  tools.log('2/2  Trying it out')
  if (publicUrl) tools.log(`     ${await tools.smokeTest(publicUrl)}`)
  else tools.log('     PUBLIC_URL is not set, so this is left to you.')
}

async function withPublicUrl(raw: RawConfiguration, tools: DeployTools): Promise<RawConfiguration> {
  const known = raw.PUBLIC_URL ?? (await tools.recallPublicUrl())
  return known === null ? raw : { ...raw, PUBLIC_URL: known }
}

async function tryOut(publicUrl: string, tools: DeployTools): Promise<void> {
  try {
    tools.log(`     ${await tools.smokeTest(publicUrl)}`)
  } catch (error) {
    const advice = 'It is in place all the same: `npm run deploy -- --rollback` puts the version before back.'
    throw new Error(`${error instanceof Error ? error.message : String(error)}\n${advice}`, { cause: error })
  }
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
