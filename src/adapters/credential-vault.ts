import * as z from 'zod'
import { once } from '../lib/once.ts'
import { importSealingKey, SealBrokenError, type SealingKey, seal, unseal } from '../lib/seal.ts'
import {
  type AuthorizationOwner,
  CredentialError,
  type CredentialOwner,
  type CredentialVault,
  type PlatformSecret,
  type SealedCredential,
} from '../ports.ts'

/** The stored length is a multiple of this, so that it tells nothing of the secret's. */
const PADDED_TO_BYTES = 64

const secretRecord = once(() =>
  z.object({
    accessToken: z.string().min(1),
    refreshToken: z.string().optional(),
    refreshExpiresAtMs: z.number().optional(),
    scopes: z.array(z.string()).optional(),
    allowance: z.string().optional(),
  }),
)

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
  const sealJson = async (json: string, bound: string): Promise<SealedCredential> => {
    const key = await current()
    return { keyId: key.id, sealed: await seal(key, padded(json), bound) }
  }
  async function openJson<T>(
    { keyId, sealed }: SealedCredential,
    bound: string,
    schema: () => z.ZodType<T>,
  ): Promise<T> {
    const key = (await keyring()).find(({ id }) => id === keyId)
    if (key === undefined) throw new CredentialError('unknown_key')
    try {
      return schema().parse(JSON.parse(await unseal(key, sealed, bound)))
    } catch (error) {
      // What is authentic and makes no sense was written by another version; its words stay here all the same.
      throw new CredentialError(error instanceof SealBrokenError ? 'broken' : 'malformed')
    }
  }

  return {
    seal: async (owner, secret) => sealJson(JSON.stringify(secret), boundToAccount(owner)),
    open: async (owner, credential) =>
      withoutMissing(await openJson(credential, boundToAccount(owner), secretRecord)),
    sealText: async (owner, text) => sealJson(JSON.stringify(text), boundToAuthorization(owner)),
    openText: async (owner, sealed) => openJson(sealed, boundToAuthorization(owner), z.string),
    currentKeyId: async () => (await current()).id,
    keyIds: async () => (await keyring()).map(({ id }) => id),
  }
}

/** What is not known is left out, and not there as `undefined`. */
function withoutMissing(secret: z.infer<ReturnType<typeof secretRecord>>): PlatformSecret {
  const { accessToken, refreshToken, refreshExpiresAtMs, scopes, allowance } = secret
  return {
    accessToken,
    ...(refreshToken === undefined ? {} : { refreshToken }),
    ...(refreshExpiresAtMs === undefined ? {} : { refreshExpiresAtMs }),
    ...(scopes === undefined ? {} : { scopes }),
    ...(allowance === undefined ? {} : { allowance }),
  }
}

function boundToAccount({ workspaceId, accountId, platform }: CredentialOwner): string {
  return boundTo('tidemark/v1', [workspaceId.toLowerCase(), accountId.toLowerCase(), platform])
}

function boundToAuthorization({ workspaceId, authorizationId }: AuthorizationOwner): string {
  return boundTo('tidemark/authorization/v1', [workspaceId.toLowerCase(), authorizationId.toLowerCase()])
}

/** Ids are compared as the database writes them; none of the parts can hold the separator. */
function boundTo(purpose: string, parts: string[]): string {
  if (parts.some((part) => part === '' || part.includes('|')))
    throw new RangeError('What is sealed belongs to somebody who can be told from all others.')
  return [purpose, ...parts].join('|')
}

/** JSON may end with spaces. */
function padded(json: string): string {
  const size = new TextEncoder().encode(json).byteLength
  return json + ' '.repeat((PADDED_TO_BYTES - (size % PADDED_TO_BYTES)) % PADDED_TO_BYTES)
}
