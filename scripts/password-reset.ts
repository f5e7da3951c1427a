import { parseArgs } from 'node:util'
import { loadConfiguration } from './operate/configuration.ts'
import { giveNewPassword } from './operate/new-password.ts'
import { messageOf } from './operate/report.ts'

const USAGE = `Usage: npm run password:reset -- --email ADDRESS

Gives somebody a new password, which is shown this once, and ends their sessions. For deployments without mail;
needs MIGRATION_DATABASE_URL.`

/** `npm run password:reset`: for whoever has forgotten theirs, where no mail can be sent. */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { email: { type: 'string' }, help: { type: 'boolean', short: 'h', default: false } },
  })
  const { email } = values
  if (values.help || email === undefined) {
    if (!values.help) process.exitCode = 2
    console.log(USAGE)
    return
  }
  const { MIGRATION_DATABASE_URL: ownerUrl } = await loadConfiguration()
  if (!ownerUrl) throw new Error('Set MIGRATION_DATABASE_URL first (see .dev.vars.example).')
  const password = await giveNewPassword({ ownerUrl, email })
  if (password === null) throw new Error(`There is nobody with the address ${email} and a password.`)
  console.log(`The new password of ${email}, shown this once:\n\n  ${password}\n\nTheir sessions have ended.`)
}

main().catch((error: unknown) => {
  console.error(messageOf(error))
  process.exitCode = 1
})
