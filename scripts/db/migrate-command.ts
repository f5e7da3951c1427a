import { migrate } from './migrate.ts'

/** `npm run db:migrate`: brings the database in MIGRATION_DATABASE_URL up to date. */
const ownerUrl = process.env.MIGRATION_DATABASE_URL
const appUrl = process.env.DATABASE_URL
const missing = Object.entries({ MIGRATION_DATABASE_URL: ownerUrl, DATABASE_URL: appUrl })
  .filter(([, value]) => !value)
  .map(([name]) => name)
if (!ownerUrl || !appUrl) {
  console.error(`Set ${missing.join(' and ')} first (see .dev.vars.example).`)
  process.exit(1)
}
const { applied, version } = await migrate({ ownerUrl, appUrl, log: console.log })
console.log(
  applied.length === 0 ? `Nothing to do: the database is at ${version}.` : `The database is at ${version}.`,
)
