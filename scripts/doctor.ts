import { parseArgs } from 'node:util'
import { loadConfiguration } from './operate/configuration.ts'
import { recallAddresses } from './operate/deploy/memory.ts'
import { examine } from './operate/doctor/index.ts'
import { formatReport, hasProblems, messageOf } from './operate/report.ts'

/** `npm run doctor [-- --json]`: examines a deployment's configuration and everything it names. */
try {
  const { values } = parseArgs({ options: { json: { type: 'boolean', default: false } } })
  const results = await examine({ ...(await recallAddresses()), ...(await loadConfiguration()) })
  const isHealthy = !hasProblems(results)
  console.log(
    values.json ? JSON.stringify({ ok: isHealthy, checks: results }, null, 2) : formatReport(results),
  )
  if (!isHealthy) process.exitCode = 1
} catch (error) {
  console.error(messageOf(error))
  process.exitCode = 2
}
