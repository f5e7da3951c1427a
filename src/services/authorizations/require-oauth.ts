import { PLATFORM_FACTS, type Platform } from '../../domain/platforms.ts'
import { AppError } from '../../errors.ts'
import type { CredentialVault, OAuthFlow, PlatformConnector } from '../../ports.ts'
import type { ServiceDeps } from '../context.ts'

/** What an operator has to set before people can agree at a platform: the deployment's own app there. */
const APP_VARIABLES: Partial<Record<Platform, string>> = {
  instagram: 'META_APP_ID and META_APP_SECRET',
  facebook: 'META_APP_ID and META_APP_SECRET',
  threads: 'THREADS_APP_ID and THREADS_APP_SECRET',
  tiktok: 'TIKTOK_CLIENT_KEY and TIKTOK_CLIENT_SECRET',
  linkedin: 'LINKEDIN_CLIENT_ID and LINKEDIN_CLIENT_SECRET',
}

/**
 * What connecting by OAuth needs of a deployment.
 * @throws platform_unsupported where the platform knows no such thing, or the deployment has no app there;
 *   unavailable where it has no key to keep credentials with
 */
export async function requireOAuth(
  deps: Pick<ServiceDeps, 'connectors' | 'vault'>,
  platform: Platform,
): Promise<{ connector: PlatformConnector; oauth: OAuthFlow; vault: CredentialVault }> {
  const connector = (await deps.connectors())[platform]
  const oauth = connector?.oauth
  if (connector === undefined || oauth === undefined)
    throw new AppError('platform_unsupported', whyNot(platform))
  if (deps.vault === null)
    throw new AppError(
      'unavailable',
      'This deployment cannot store credentials; an operator has to set CREDENTIALS_KEY.',
      { retryable: false },
    )
  return { connector, oauth, vault: deps.vault }
}

function whyNot(platform: Platform): string {
  const { label } = PLATFORM_FACTS[platform]
  const variables = APP_VARIABLES[platform]
  return variables === undefined
    ? `${label} accounts are connected by their handle: nobody has to sign in there.`
    : `This deployment has no app at ${label} yet; an operator has to set ${variables}.`
}
