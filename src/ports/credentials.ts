import type { Platform } from '../domain/platforms.ts'

/** What an account is read with, in the clear; never stored or logged like this. */
export interface PlatformSecret {
  accessToken: string
  refreshToken?: string
  /** When the refresh token stops working, in milliseconds since 1970; missing where that is not known. */
  refreshExpiresAtMs?: number
  /** What the platform allowed; missing where a person pasted the token. */
  scopes?: string[]
  /** Whose allowance its calls are taken from; missing where that is the account's own. */
  allowance?: string
}

/** Whose a credential is: under another owner it cannot be opened. */
export interface CredentialOwner {
  workspaceId: string
  accountId: string
  platform: Platform
}

/** Which authorization a text is sealed for: in another row it cannot be opened. */
export interface AuthorizationOwner {
  workspaceId: string
  authorizationId: string
}

export interface SealedCredential {
  /** Names the key that sealed it. */
  keyId: string
  /** Nonce, ciphertext and tag, base64url. */
  sealed: string
}

export interface CredentialVault {
  seal(owner: CredentialOwner, secret: PlatformSecret): Promise<SealedCredential>
  /** @throws CredentialError */
  open(owner: CredentialOwner, credential: SealedCredential): Promise<PlatformSecret>
  /** Seals what an authorization has to keep for a while. */
  sealText(owner: AuthorizationOwner, text: string): Promise<SealedCredential>
  /** @throws CredentialError */
  openText(owner: AuthorizationOwner, sealed: SealedCredential): Promise<string>
}

const CREDENTIAL_ERRORS = {
  unknown_key: 'A credential was sealed with a key that this deployment does not have.',
  broken: 'A credential cannot be opened: it was changed, or is another account’s.',
  malformed: 'A credential was opened and is none.',
} as const

/** A credential that cannot be had. Carries neither a cause nor a word of what was sealed. */
export class CredentialError extends Error {
  readonly reason: keyof typeof CREDENTIAL_ERRORS
  constructor(reason: keyof typeof CREDENTIAL_ERRORS) {
    super(CREDENTIAL_ERRORS[reason])
    this.name = 'CredentialError'
    this.reason = reason
  }
}
