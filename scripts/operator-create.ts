import { parseArgs } from 'node:util'
import { loadConfiguration } from './operate/configuration.ts'
import { makeOperator, removeOperator } from './operate/operator.ts'
import { messageOf } from './operate/report.ts'

const USAGE = `Usage: npm run operator:create -- --email ADDRESS [--name NAME | --remove]

Makes somebody an operator in the database of MIGRATION_DATABASE_URL, and an account for them where there is
none: its password is shown this once. --remove takes the right away again; the account stays.`

/** `npm run operator:create`: says who runs the deployment, as whoever owns its database. */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      email: { type: 'string' },
      name: { type: 'string' },
      remove: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  const { email, name, remove } = values
  if (values.help || email === undefined || (remove && name !== undefined)) {
    if (!values.help) process.exitCode = 2
    console.log(USAGE)
    return
  }
  const { MIGRATION_DATABASE_URL: ownerUrl } = await loadConfiguration()
  if (!ownerUrl) throw new Error('Set MIGRATION_DATABASE_URL first (see .dev.vars.example).')
  if (remove) {
    const { wasOperator, left } = await removeOperator({ ownerUrl, email })
    console.log(wasOperator ? `${email} is an operator no more.` : `${email} was no operator.`)
    console.log(`Operators in the database: ${left}. OPERATOR_EMAILS may name others.`)
    return
  }
  const made = await makeOperator({ ownerUrl, email, name })
  if (made.kind === 'created')
    console.log(
      `${email} is an operator, with a new account. Its password, shown this once:\n\n  ${made.password}\n\nThey should change it when they have signed in.`,
    )
  else if (made.kind === 'known') console.log(`${email} is an operator already.`)
  else {
    console.log(`${email} is an operator now, with the account and the password that were there.`)
    if (!made.isVerified)
      console.log(
        'The address of that account was never confirmed: make sure that it is theirs, or --remove it.',
      )
  }
}

main().catch((error: unknown) => {
  console.error(messageOf(error))
  process.exitCode = 1
})
