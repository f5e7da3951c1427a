import { SCHEMA_VERSION, VERSION } from '../../src/version.ts'
import type { Finding } from './finding.ts'

/** What the repository says of itself outside of `src`, which cannot read it there. */
export interface Released {
  /** Of package.json. */
  version: string
  /** Names of the migrations, in order. */
  migrations: readonly string[]
}

/** Finds where `src/version.ts` has fallen behind. */
export function checkVersions(
  { version, migrations }: Released,
  stated = { version: VERSION, schemaVersion: SCHEMA_VERSION },
): Finding[] {
  const newest = migrations.at(-1) ?? 'none'
  const finding = (message: string): Finding => ({
    file: 'src/version.ts',
    line: 1,
    rule: 'versions',
    message,
  })
  return [
    ...(stated.version === version ? [] : [finding(`VERSION is not that of package.json, ${version}`)]),
    ...(stated.schemaVersion === newest
      ? []
      : [finding(`SCHEMA_VERSION is not the newest migration, ${newest}`)]),
  ]
}
