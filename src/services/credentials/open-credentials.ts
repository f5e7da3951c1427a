import { type CredentialRow, selectCredentials } from '../../db/queries/credentials.ts'
import { PLATFORM_FACTS } from '../../domain/platforms.ts'
import {
  type AccessToken,
  CredentialError,
  type OAuthFlow,
  type PlatformConnector,
  PlatformError,
} from '../../ports.ts'
import type { ServiceDeps } from '../context.ts'
import { renewCredential, type StoredSecret } from './renew-credential.ts'

/** What an account is read with; or, where that cannot be had, why. `storedAt` is `null` where there is none. */
export type OpenCredential = { storedAt: string | null } & (
  | { accessToken: AccessToken; error?: undefined }
  | { accessToken?: undefined; error: PlatformError }
)

interface Owner {
  id: string
  workspaceId: string
}

/** Until an operator has put the missing key back: then the account goes on by itself. */
const KEY_RETRY_AFTER_MS = 300_000
/** Whoever is renewing a credential is done by then. */
const RENEWED_AFTER_MS = 5_000

/**
 * Opens the credentials of accounts on one host, by the account's id; those that end soon are renewed first.
 * Accounts that are read as anybody may are missing, and so are all of a platform that needs none: it costs no
 * question. On a platform that people have to let us in at, every account has an entry.
 */
export async function openCredentials(
  deps: ServiceDeps,
  connector: PlatformConnector,
  host: string | null,
  accounts: readonly Owner[],
): Promise<Map<string, OpenCredential>> {
  const opened = new Map<string, OpenCredential>()
  const tokenHost = tokenHostOf(connector, host)
  if (tokenHost === null) return opened
  const byWorkspace = Map.groupBy(accounts, ({ workspaceId }) => workspaceId)
  await Promise.all(
    [...byWorkspace].map(async ([workspaceId, owned]) => {
      const ids = [...new Set(owned.map(({ id }) => id))]
      const rows = await read(deps, workspaceId, ids)
      if (connector.oauth !== undefined)
        for (const id of ids) opened.set(id, { storedAt: null, error: signInAgain(connector) })
      await Promise.all(
        rows.map(async (row) =>
          opened.set(row.accountId, await openOne(deps, connector, { workspaceId, tokenHost, row })),
        ),
      )
    }),
  )
  return opened
}

/**
 * What an account is read with after its platform refused what it was read with: renewed, or stored by
 * somebody else since.
 * @param refused what the platform was called with, by when that was stored, and what it answered, which is
 *   the error where nothing can be renewed
 */
export async function refreshNow(
  deps: ServiceDeps,
  connector: PlatformConnector,
  account: Owner,
  refused: { readWith: string | null; error: PlatformError },
): Promise<OpenCredential> {
  const { workspaceId, id } = account
  const { readWith, error } = refused
  const { oauth } = connector
  if (oauth === undefined) return { storedAt: readWith, error }
  const [row] = await read(deps, workspaceId, [id])
  if (row === undefined) return { storedAt: null, error: signInAgain(connector) }
  const place = { workspaceId, tokenHost: oauth.apiHost, row }
  if (row.updatedAt !== readWith) return openOne(deps, connector, place)
  const stored = await openStored(deps, workspaceId, row)
  if (stored instanceof PlatformError) return { storedAt: row.updatedAt, error: stored }
  return renew(deps, connector, oauth, { stored, otherwise: () => error })
}

function tokenHostOf(connector: PlatformConnector, host: string | null): string | null {
  if (connector.oauth !== undefined) return connector.oauth.apiHost
  return connector.tokens === undefined ? null : host
}

async function read(deps: ServiceDeps, workspaceId: string, ids: string[]): Promise<CredentialRow[]> {
  const [rows] = await deps.db.inWorkspace(workspaceId, [selectCredentials(workspaceId, ids)])
  return rows
}

/** A row, and the host that its token is for. */
interface Place {
  workspaceId: string
  tokenHost: string
  row: CredentialRow
}

async function openOne(
  deps: ServiceDeps,
  connector: PlatformConnector,
  { workspaceId, tokenHost, row }: Place,
): Promise<OpenCredential> {
  const stored = await openStored(deps, workspaceId, row)
  if (stored instanceof PlatformError) return { storedAt: row.updatedAt, error: stored }
  const { oauth } = connector
  const asItIs = inUse(tokenHost, stored)
  const leftMs = row.expiresAt === null ? null : Date.parse(row.expiresAt) - deps.clock.now()
  if (oauth === undefined || leftMs === null || leftMs > oauth.refreshAheadMs) return asItIs
  if (leftMs <= 0) return renew(deps, connector, oauth, { stored, otherwise: () => signInAgain(connector) })
  return renew(deps, connector, oauth, { stored, otherwise: () => asItIs })
}

/**
 * Renews a credential, and says what its account is read with then.
 * @param from `otherwise`: what there is where it was not renewed for now; an error where the old one does not
 *   work any more, which is then what it is where it cannot be renewed at all
 */
async function renew(
  deps: ServiceDeps,
  connector: PlatformConnector,
  oauth: OAuthFlow,
  from: { stored: StoredSecret; otherwise: () => OpenCredential | PlatformError },
): Promise<OpenCredential> {
  const { stored } = from
  const { workspaceId, accountId, updatedAt } = stored
  if (deps.vault === null) throw new CredentialError('unknown_key')
  const renewal = await renewCredential(deps, oauth, deps.vault, stored)
  if (renewal.kind === 'renewed') {
    const secret = { ...stored.secret, accessToken: renewal.accessToken }
    return inUse(oauth.apiHost, { ...stored, secret, updatedAt: renewal.updatedAt })
  }
  if (renewal.kind === 'failed') {
    const { kind, message } = renewal.error
    deps.log.warn('credential not renewed', { workspaceId, accountId, kind, reason: message })
    if (kind === 'auth') return { storedAt: updatedAt, error: signInAgain(connector) }
  }
  const otherwise = from.otherwise()
  if (!(otherwise instanceof PlatformError)) return otherwise
  switch (renewal.kind) {
    case 'impossible':
      return { storedAt: updatedAt, error: otherwise }
    case 'failed':
      return { storedAt: updatedAt, error: renewal.error }
    case 'elsewhere':
      return waitFor(deps, oauth, stored)
  }
}

/** What others have made of a credential meanwhile, where they are done with it. */
async function waitFor(
  deps: ServiceDeps,
  oauth: OAuthFlow,
  { workspaceId, accountId, updatedAt }: StoredSecret,
): Promise<OpenCredential> {
  const [row] = await read(deps, workspaceId, [accountId])
  if (row === undefined || row.updatedAt === updatedAt)
    return {
      storedAt: updatedAt,
      error: new PlatformError('transient', 'The access of this account is just being renewed.', {
        retryAfterMs: RENEWED_AFTER_MS,
      }),
    }
  const stored = await openStored(deps, workspaceId, row)
  return stored instanceof PlatformError
    ? { storedAt: row.updatedAt, error: stored }
    : inUse(oauth.apiHost, stored)
}

function inUse(host: string, { accountId, secret, updatedAt }: StoredSecret): OpenCredential {
  const allowance = secret.allowance ?? accountId
  return { storedAt: updatedAt, accessToken: { value: secret.accessToken, host, allowance } }
}

async function openStored(
  deps: ServiceDeps,
  workspaceId: string,
  row: CredentialRow,
): Promise<StoredSecret | PlatformError> {
  const { accountId, platform, keyId, sealed, expiresAt, updatedAt } = row
  try {
    if (deps.vault === null) throw new CredentialError('unknown_key')
    const secret = await deps.vault.open({ workspaceId, accountId, platform }, { keyId, sealed })
    return { workspaceId, accountId, platform, secret, expiresAt, updatedAt }
  } catch (error) {
    if (!(error instanceof CredentialError)) throw error
    deps.log.error('credential not opened', { workspaceId, accountId, keyId, reason: error.reason })
    return unreadable(error)
  }
}

function signInAgain({ platform }: PlatformConnector): PlatformError {
  const { label } = PLATFORM_FACTS[platform]
  return new PlatformError('auth', `${label} no longer lets us read this account: sign in there again.`)
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
