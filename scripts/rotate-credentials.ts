import { parseArgs } from 'node:util'
import { loadConfiguration, redact, wellFormed } from './operate/configuration.ts'
import { messageOf } from './operate/report.ts'
import { describeRotation } from './operate/rotate-credentials/report.ts'
import { rotateCredentials, unopened } from './operate/rotate-credentials/rotate.ts'

/** `npm run rotate-credentials [-- --dry-run]`: seals the stored credentials with the first of CREDENTIALS_KEY. */
const raw = await loadConfiguration()
try {
  const { values } = parseArgs({ options: { 'dry-run': { type: 'boolean', default: false } } })
  const isDryRun = values['dry-run']
  const keys = wellFormed(raw).CREDENTIALS_KEY
  const ownerUrl = raw.MIGRATION_DATABASE_URL
  if (keys === undefined) throw new Error('Set CREDENTIALS_KEY first: the new key, a comma, the old one.')
  if (ownerUrl === undefined) throw new Error('Set MIGRATION_DATABASE_URL first (see .dev.vars.example).')
  const report = await rotateCredentials({ ownerUrl, keys, isDryRun })
  console.log(describeRotation(report, isDryRun))
  if (unopened(report) > 0) process.exitCode = 1
} catch (error) {
  console.error(redact(messageOf(error), raw))
  process.exitCode = 2
}
