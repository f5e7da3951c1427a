import { type CredentialRow, selectCredentials } from '../../db/queries/credentials.ts'
import { type AccessToken, CredentialError, type PlatformConnector, PlatformError } from '../../ports.ts'
import type { ServiceDeps } from '../context.ts'

/** What an account is read with; or, where that cannot be had, why. */
export type OpenCredential = { storedAt: string } & (
  | { accessToken: AccessToken; error?: undefined }
  | { accessToken?: undefined; error: PlatformError }
)

interface Owner {
  id: string
  workspaceId: string
}

type Deps = Pick<ServiceDeps, 'db' | 'vault' | 'log'>

/** Until an operator has put the missing key back: then the account goes on by itself. */
const KEY_RETRY_AFTER_MS = 300_000

/**
 * Opens the credentials of accounts on one host, by the account's id. Those that are read as anybody may are
 * missing, and so are all of a platform that needs none: it costs no question.
 */
export async function openCredentials(
  deps: Deps,
  connector: PlatformConnector,
  host: string | null,
  accounts: readonly Owner[],
): Promise<Map<string, OpenCredential>> {
  const opened = new Map<string, OpenCredential>()
  if (connector.tokens === undefined || host === null) return opened
  const byWorkspace = Map.groupBy(accounts, ({ workspaceId }) => workspaceId)
  await Promise.all(
    [...byWorkspace].map(async ([workspaceId, owned]) => {
      const ids = [...new Set(owned.map(({ id }) => id))]
      const [rows] = await deps.db.inWorkspace(workspaceId, [selectCredentials(workspaceId, ids)])
      for (const row of rows) opened.set(row.accountId, await openOne(deps, workspaceId, host, row))
    }),
  )
  return opened
}

/** The same for one account; `null`: it is read as anybody may. */
export async function credentialFor(
  deps: Deps,
  connector: PlatformConnector,
  host: string | null,
  account: Owner,
): Promise<OpenCredential | null> {
  return (await openCredentials(deps, connector, host, [account])).get(account.id) ?? null
}

async function openOne(
  deps: Deps,
  workspaceId: string,
  host: string,
  row: CredentialRow,
): Promise<OpenCredential> {
  const { accountId, platform, keyId, sealed, updatedAt } = row
  try {
    if (deps.vault === null) throw new CredentialError('unknown_key')
    const { accessToken } = await deps.vault.open({ workspaceId, accountId, platform }, { keyId, sealed })
    return { storedAt: updatedAt, accessToken: { value: accessToken, host, allowance: accountId } }
  } catch (error) {
    if (!(error instanceof CredentialError)) throw error
    deps.log.error('credential not opened', { workspaceId, accountId, keyId, reason: error.reason })
    return { storedAt: updatedAt, error: unreadable(error) }
  }
}

/** What people are told: a lost key is an operator's to mend, anything else is mended by storing a new one. */
function unreadable({ reason }: CredentialError): PlatformError {
  return reason === 'unknown_key'
    ? new PlatformError(
        'auth',
        'The stored access token cannot be opened; an operator has to set CREDENTIALS_KEY.',
        {
          retryAfterMs: KEY_RETRY_AFTER_MS,
        },
      )
    : new PlatformError('auth', 'The stored access token can no longer be opened: store a new one.')
}
