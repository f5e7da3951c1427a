import { loadConfiguration, redact } from './operate/configuration.ts'
import { deploy, rehearse, rollBack } from './operate/deploy/deploy.ts'
import { parseDeployArguments, USAGE } from './operate/deploy/options.ts'
import { createDeployTools } from './operate/deploy/tools.ts'
import { messageOf } from './operate/report.ts'

/** `npm run deploy [-- --dry-run | --rollback]`: puts this checkout into production, or takes it back. */
async function main(): Promise<void> {
  const options = parseDeployArguments(process.argv.slice(2))
  if (options.kind === 'help') {
    console.log(USAGE)
    return
  }
  const raw = await loadConfiguration()
  const tools = await createDeployTools(raw)
  try {
    if (options.kind === 'rollback') await rollBack(raw, options.versionIds, options.isDryRun, tools)
    else if (options.isDryRun) await rehearse(raw, tools)
    else await deploy(raw, tools)
  } catch (error) {
    throw new Error(redact(messageOf(error), raw))
  }
}

main().catch((error: unknown) => {
  console.error(`\n${messageOf(error)}`)
  process.exitCode = 1
})
