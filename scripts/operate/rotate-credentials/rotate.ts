import { Client } from 'pg'
import { createCredentialVault, type RotatableVault } from '../../../src/adapters/credential-vault.ts'
import { PLATFORMS, type Platform } from '../../../src/domain/platforms.ts'
import { CredentialError } from '../../../src/ports.ts'

export interface RotateOptions {
  /** The owner's address: row-level security does not bind it. */
  ownerUrl: string
  /** In base64; the first seals from now on, all of them open. */
  keys: readonly string[]
  /** Opens everything and writes nothing. */
  isDryRun?: boolean
  batchSize?: number
  /** Told after each batch that is written. */
  onBatch?: (rotated: number) => Promise<void> | void
}

export interface RotateReport {
  /** The key that everything should be sealed with. */
  currentKeyId: string
  /** Sealed anew; in a dry run, those that would be. */
  rotated: number
  /** Replaced or removed by somebody else meanwhile, who won. */
  overtaken: number
  /** How many credentials could not be opened, by the id of the key that they name. */
  unknownKey: Record<string, number>
  /** How many name a key that is there and do not open with it, by its id. */
  broken: Record<string, number>
}

interface Row {
  id: string
  workspace_id: string
  account_id: string
  platform: string
  key_id: string
  sealed: string
}

/** A row, and what is to stand in it. */
interface Resealed {
  row: Row
  keyId: string
  sealed: string
}

const BATCH_SIZE = 100
/** Below every id. */
const FIRST_ID = '00000000-0000-0000-0000-000000000000'

/**
 * Seals every stored credential with the current key. Each batch is one statement, which writes a row only
 * where it holds what was read: whoever stores another credential meanwhile wins. It may be broken off and
 * repeated at any time, and while the product runs; what is done stays done.
 */
export async function rotateCredentials(options: RotateOptions): Promise<RotateReport> {
  const vault = createCredentialVault(options.keys)
  const currentKeyId = await vault.currentKeyId()
  const report: RotateReport = { currentKeyId, rotated: 0, overtaken: 0, unknownKey: {}, broken: {} }
  const client = new Client({ connectionString: options.ownerUrl })
  await client.connect()
  try {
    let after = FIRST_ID
    for (;;) {
      const rows = await selectBatch(client, currentKeyId, after, options.batchSize ?? BATCH_SIZE)
      const last = rows.at(-1)
      if (last === undefined) return report
      after = last.id
      const resealed: Resealed[] = []
      for (const row of rows) {
        const sealed = await reseal(vault, row, report)
        if (sealed !== null) resealed.push(sealed)
      }
      const rotated = options.isDryRun === true ? resealed.length : await writeBatch(client, resealed)
      report.rotated += rotated
      report.overtaken += resealed.length - rotated
      await options.onBatch?.(report.rotated)
    }
  } finally {
    await client.end()
  }
}

/** How many credentials could not be opened. */
export function unopened({ unknownKey, broken }: RotateReport): number {
  return [...Object.values(unknownKey), ...Object.values(broken)].reduce((sum, count) => sum + count, 0)
}

async function selectBatch(client: Client, keyId: string, after: string, limit: number): Promise<Row[]> {
  const { rows } = await client.query<Row>(
    `SELECT id, workspace_id, account_id, platform, key_id, sealed FROM platform_credentials
     WHERE key_id <> $1 AND id > $2 ORDER BY id LIMIT $3`,
    [keyId, after, limit],
  )
  return rows
}

async function reseal(vault: RotatableVault, row: Row, report: RotateReport): Promise<Resealed | null> {
  const { workspace_id: workspaceId, account_id: accountId, key_id: keyId, sealed } = row
  const owner = { workspaceId, accountId, platform: platformOf(row) }
  try {
    return { row, ...(await vault.seal(owner, await vault.open(owner, { keyId, sealed }))) }
  } catch (error) {
    if (!(error instanceof CredentialError)) throw error
    const counts = error.reason === 'unknown_key' ? report.unknownKey : report.broken
    counts[keyId] = (counts[keyId] ?? 0) + 1
    return null
  }
}

function platformOf(row: Row): Platform {
  const platform = PLATFORMS.find((name) => name === row.platform)
  if (platform === undefined) throw new Error(`The credential ${row.id} is of no platform that is known.`)
  return platform
}

/** `updated_at` stays: it tells one credential from the next, and this is the same. */
async function writeBatch(client: Client, resealed: readonly Resealed[]): Promise<number> {
  const { rowCount } = await client.query(
    `UPDATE platform_credentials c SET key_id = n.key_id, sealed = n.sealed
     FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[]) AS n (id, was, key_id, sealed)
     WHERE c.id = n.id AND c.sealed = n.was`,
    [
      resealed.map(({ row }) => row.id),
      resealed.map(({ row }) => row.sealed),
      resealed.map(({ keyId }) => keyId),
      resealed.map(({ sealed }) => sealed),
    ],
  )
  return rowCount ?? 0
}
