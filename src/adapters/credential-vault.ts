import { z } from 'zod'
import { importSealingKey, SealBrokenError, type SealingKey, seal, unseal } from '../lib/seal.ts'
import {
  CredentialError,
  type CredentialOwner,
  type CredentialVault,
  type PlatformSecret,
  type SealedCredential,
} from '../ports.ts'

/** The stored length is a multiple of this, so that it tells nothing of the secret's. */
const PADDED_TO_BYTES = 64

const Secret = z.looseObject({ accessToken: z.string().min(1), refreshToken: z.string().optional() })

/** A vault that also knows which key is the one that seals; for rotating. */
export interface RotatableVault extends CredentialVault {
  /** The id of the key that seals. */
  currentKeyId(): Promise<string>
  /** The ids of all keys that open. */
  keyIds(): Promise<string[]>
}

/**
 * Seals what platforms are read with. The first key seals, all of them open. A sealed secret opens for the
 * workspace, account and platform that it was sealed for, and nowhere else: rows cannot be swapped.
 * @param keys 32 bytes in base64 each; at least one
 */
export function createCredentialVault(keys: readonly string[]): RotatableVault {
  // The keys and not the promise of them: one request must not wait for what another began.
  let imported: SealingKey[] | undefined
  const keyring = async () => {
    imported ??= await Promise.all(keys.map(importSealingKey))
    return imported
  }
  const current = async () => {
    const [first] = await keyring()
    if (first === undefined) throw new RangeError('A vault needs a key.')
    return first
  }

  return {
    async seal(owner, secret) {
      const key = await current()
      return { keyId: key.id, sealed: await seal(key, padded(JSON.stringify(secret)), boundTo(owner)) }
    },
    async open(owner, { keyId, sealed }) {
      const key = (await keyring()).find(({ id }) => id === keyId)
      if (key === undefined) throw new CredentialError('unknown_key')
      return readSecret(key, sealed, boundTo(owner))
    },
    currentKeyId: async () => (await current()).id,
    keyIds: async () => (await keyring()).map(({ id }) => id),
  }
}

async function readSecret(
  key: SealingKey,
  sealed: SealedCredential['sealed'],
  bound: string,
): Promise<PlatformSecret> {
  try {
    const { accessToken, refreshToken } = Secret.parse(JSON.parse(await unseal(key, sealed, bound)))
    return refreshToken === undefined ? { accessToken } : { accessToken, refreshToken }
  } catch (error) {
    // What is authentic and makes no sense was written by another version; its words stay here all the same.
    throw new CredentialError(error instanceof SealBrokenError ? 'broken' : 'malformed')
  }
}

/** Ids are compared as the database writes them; none of the parts can hold the separator. */
function boundTo({ workspaceId, accountId, platform }: CredentialOwner): string {
  const parts = [workspaceId.toLowerCase(), accountId.toLowerCase(), platform]
  if (parts.some((part) => part === '' || part.includes('|')))
    throw new RangeError('A credential belongs to a workspace, an account and a platform.')
  return ['tidemark/v1', ...parts].join('|')
}

/** JSON may end with spaces. */
function padded(json: string): string {
  const size = new TextEncoder().encode(json).byteLength
  return json + ' '.repeat((PADDED_TO_BYTES - (size % PADDED_TO_BYTES)) % PADDED_TO_BYTES)
}
