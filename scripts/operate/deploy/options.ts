import { parseArgs } from 'node:util'

/** A version of each Worker, as wrangler names them. */
export interface VersionIds {
  api: string
  sync: string
}

/** What the command line of `npm run deploy` asks for. */
export type DeployOptions =
  | { kind: 'help' }
  | { kind: 'deploy'; isDryRun: boolean }
  | { kind: 'rollback'; isDryRun: boolean; versionIds: VersionIds | null }

export const USAGE = `npm run deploy [-- OPTIONS]

  --dry-run                 say what would be done, and bundle the Workers, but change nothing
  --rollback [ID SYNC-ID]   put the versions before (or these: of tidemark, and of tidemark-sync) back in place
  --help`

/** @throws when the command line is not understood. */
export function parseDeployArguments(args: readonly string[]): DeployOptions {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      'dry-run': { type: 'boolean', default: false },
      rollback: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) return { kind: 'help' }
  const isDryRun = values['dry-run']
  const [api, sync, ...rest] = positionals
  const extra = values.rollback ? rest : positionals
  if (extra.length > 0) throw new Error(`Not understood: ${extra.join(' ')}\n\n${USAGE}`)
  if (!values.rollback) return { kind: 'deploy', isDryRun }
  if (api === undefined) return { kind: 'rollback', isDryRun, versionIds: null }
  // Versions are each Worker's own, and the Workers go back together.
  if (sync === undefined) throw new Error(`The version of tidemark-sync is missing.\n\n${USAGE}`)
  return { kind: 'rollback', isDryRun, versionIds: { api, sync } }
}
