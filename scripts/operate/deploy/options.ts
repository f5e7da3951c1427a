import { parseArgs } from 'node:util'

/** What the command line of `npm run deploy` asks for. */
export type DeployOptions =
  | { kind: 'help' }
  | { kind: 'deploy'; isDryRun: boolean }
  | { kind: 'rollback'; isDryRun: boolean; versionId: string | null }

export const USAGE = `npm run deploy [-- OPTIONS]

  --dry-run           say what would be done, and bundle the Worker, but change nothing
  --rollback [ID]     put the version before (or the one with this id) back in place
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
  const [versionId, ...rest] = positionals
  const extra = values.rollback ? rest : positionals
  if (extra.length > 0) throw new Error(`Not understood: ${extra.join(' ')}\n\n${USAGE}`)
  if (values.rollback) return { kind: 'rollback', isDryRun, versionId: versionId ?? null }
  return { kind: 'deploy', isDryRun }
}
