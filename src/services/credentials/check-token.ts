import { PLATFORM_FACTS, type Platform } from '../../domain/platforms.ts'
import { AppError, invalidRequest } from '../../errors.ts'
import { type CredentialVault, PlatformError, type TokenReading } from '../../ports.ts'
import { connectorOf } from '../accounts/connector-context.ts'
import type { ServiceDeps } from '../context.ts'
import { toAppError } from '../platform-errors.ts'

/**
 * What a credential of a platform is checked and kept with.
 * @param pointer the field of the request that holds the credential
 * @throws invalid_request where the platform needs none; unavailable where the deployment has no key
 */
export async function requireTokens(
  deps: Pick<ServiceDeps, 'connectors' | 'vault'>,
  platform: Platform,
  pointer: string,
): Promise<{ tokens: TokenReading; vault: CredentialVault }> {
  const { tokens, oauth } = await connectorOf(deps, platform)
  if (tokens === undefined) {
    const { label } = PLATFORM_FACTS[platform]
    const detail =
      oauth === undefined
        ? `${label} needs no credential.`
        : `${label} gives access to people who sign in there: begin an authorization.`
    throw invalidRequest([{ pointer, detail }])
  }
  if (deps.vault === null)
    throw new AppError(
      'unavailable',
      'This deployment cannot store credentials; an operator has to set CREDENTIALS_KEY.',
      { retryable: false },
    )
  return { tokens, vault: deps.vault }
}

/** A platform's failure while it was asked about a token, as the answer to whoever gave the token. */
export function tokenRefusal(error: unknown, pointer: string): unknown {
  if (!(error instanceof PlatformError) || error.kind !== 'auth') return toAppError(error)
  return new AppError('platform_auth_required', error.message, {
    fields: [{ pointer, detail: error.message }],
    cause: error,
  })
}
