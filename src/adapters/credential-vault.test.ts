import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { PLATFORMS } from '../domain/platforms.ts'
import { fromBase64Url, toBase64Url } from '../lib/base64url.ts'
import { importSealingKey, seal } from '../lib/seal.ts'
import { CredentialError, type CredentialOwner, type SealedCredential } from '../ports.ts'
import { createCredentialVault } from './credential-vault.ts'

const KEY = btoa('k'.repeat(32))
const OTHER_KEY = btoa('o'.repeat(32))
const OWNER: CredentialOwner = {
  workspaceId: '01890000-0000-7000-8000-000000000001',
  accountId: '01890000-0000-7000-8000-000000000002',
  platform: 'mastodon',
}
const SECRET = { accessToken: 'MarkerToken-0123456789' }
const vault = createCredentialVault([KEY])

const owner = fc.record({
  workspaceId: fc.uuid({ version: 7 }),
  accountId: fc.uuid({ version: 7 }),
  platform: fc.constantFrom(...PLATFORMS),
})
const key = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .map((bytes) => btoa(String.fromCharCode(...bytes)))
const secret = fc.record(
  {
    accessToken: fc.string({ minLength: 1, unit: 'grapheme' }),
    refreshToken: fc.string(),
    refreshExpiresAtMs: fc.nat(),
    scopes: fc.array(fc.string()),
  },
  { requiredKeys: ['accessToken'], noNullPrototype: true },
)

/** How opening fails; throws when it does not, or says anything of the secret. */
async function refusal(opening: Promise<unknown>): Promise<CredentialError['reason']> {
  const error: unknown = await opening.then(
    () => new Error('It opened'),
    (reason: unknown) => reason,
  )
  if (!(error instanceof CredentialError)) throw error
  expect(error.cause).toBeUndefined()
  expect(`${error.message} ${error.stack}`).not.toContain(SECRET.accessToken)
  return error.reason
}

const bytesOf = ({ sealed }: SealedCredential) => fromBase64Url(sealed).byteLength

describe('a vault', () => {
  it('opens what it sealed, whatever that is and whosever it is', async () => {
    await fc.assert(
      fc.asyncProperty(owner, secret, key, async (of, given, base64) => {
        const any = createCredentialVault([base64])
        expect(await any.open(of, await any.seal(of, given))).toEqual(given)
      }),
    )
  })

  it('opens nothing for another workspace, account or platform', async () => {
    const sealed = await vault.seal(OWNER, SECRET)
    await fc.assert(
      fc.asyncProperty(
        owner,
        fc.subarray(['workspaceId', 'accountId', 'platform'] as const, { minLength: 1 }),
        async (other, parts) => {
          const moved = { ...OWNER, ...Object.fromEntries(parts.map((part) => [part, other[part]])) }
          fc.pre(JSON.stringify(moved) !== JSON.stringify(OWNER))
          expect(await refusal(vault.open(moved, sealed))).toBe('broken')
        },
      ),
    )
  })

  it('takes an id in capitals for the same', async () => {
    const sealed = await vault.seal(OWNER, SECRET)
    const shouted = { ...OWNER, accountId: OWNER.accountId.toUpperCase() }
    expect(await vault.open(shouted, sealed)).toEqual(SECRET)
  })

  it('seals for nobody whose parts could be read in two ways', async () => {
    await expect(vault.seal({ ...OWNER, workspaceId: 'a|b' }, SECRET)).rejects.toThrow(RangeError)
    await expect(vault.seal({ ...OWNER, accountId: '' }, SECRET)).rejects.toThrow(RangeError)
  })

  it('opens nothing of which any bit was changed', async () => {
    const { keyId, sealed } = await vault.seal(OWNER, SECRET)
    const bytes = fromBase64Url(sealed)
    for (let bit = 0; bit < bytes.byteLength * 8; bit += 1) {
      const flipped = Uint8Array.from(bytes)
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      expect(await refusal(vault.open(OWNER, { keyId, sealed: toBase64Url(flipped) }))).toBe('broken')
    }
  })

  it('opens nothing that is written in any other way', async () => {
    const { keyId, sealed } = await vault.seal(OWNER, SECRET)
    for (let i = 0; i < sealed.length; i += 1)
      for (const bit of [1, 2, 4, 8, 16]) {
        const changed = String.fromCharCode(sealed.charCodeAt(i) ^ bit)
        const text = sealed.slice(0, i) + changed + sealed.slice(i + 1)
        expect(await refusal(vault.open(OWNER, { keyId, sealed: text }))).toBe('broken')
      }
    for (const text of [
      '',
      '=',
      ` ${sealed}`,
      `${sealed}=`,
      `${sealed}A`,
      sealed.slice(0, -1),
      sealed.slice(0, 20),
    ])
      expect(await refusal(vault.open(OWNER, { keyId, sealed: text }))).toBe('broken')
  })

  it('opens nothing with a key that it does not have, nor with another by its name', async () => {
    const other = createCredentialVault([OTHER_KEY])
    const sealed = await other.seal(OWNER, SECRET)
    expect(await refusal(vault.open(OWNER, sealed))).toBe('unknown_key')
    expect(await refusal(vault.open(OWNER, { ...sealed, keyId: await vault.currentKeyId() }))).toBe('broken')
  })

  it('seals with the first of its keys, and opens with all of them', async () => {
    const both = createCredentialVault([OTHER_KEY, KEY])
    const old = await vault.seal(OWNER, SECRET)
    expect(await both.open(OWNER, old)).toEqual(SECRET)
    const fresh = await both.seal(OWNER, SECRET)
    expect([fresh.keyId, old.keyId]).toEqual(await both.keyIds())
    expect(await refusal(vault.open(OWNER, fresh))).toBe('unknown_key')
  })

  it('names a key by a digest of it', async () => {
    const labelled = Buffer.concat([Buffer.from('tidemark-key-id'), Buffer.from(KEY, 'base64')])
    const digest = Buffer.from(await crypto.subtle.digest('SHA-256', labelled)).toString('hex')
    expect(await vault.currentKeyId()).toBe(digest.slice(0, 16))
  })

  it('never seals the same twice', async () => {
    const sealed = await Promise.all(Array.from({ length: 200 }, () => vault.seal(OWNER, SECRET)))
    const nonces = sealed.map((one) => toBase64Url(fromBase64Url(one.sealed).slice(0, 12)))
    expect(new Set(nonces).size).toBe(200)
  })

  it('does not tell by its length how long a secret is', async () => {
    const lengths = new Set<number>()
    for (let length = 1; length <= 200; length += 1)
      lengths.add(bytesOf(await vault.seal(OWNER, { accessToken: 'é'.repeat(length) })))
    // 12 bytes of nonce and 16 of tag around blocks of 64.
    expect([...lengths].every((length) => (length - 28) % 64 === 0)).toBe(true)
    expect(lengths.size).toBeLessThan(8)
  })

  it('opens what was sealed before secrets held more than tokens', async () => {
    const old = await importSealingKey(KEY)
    const { workspaceId, accountId, platform } = OWNER
    for (const given of [SECRET, { ...SECRET, refreshToken: 'r' }]) {
      const bound = `tidemark/v1|${workspaceId}|${accountId}|${platform}`
      const sealed = await seal(old, `${JSON.stringify(given)}   `, bound)
      expect(await vault.open(OWNER, { keyId: old.id, sealed })).toEqual(given)
    }
  })

  it('is made of keys of 32 bytes, and of one at least', async () => {
    await expect(createCredentialVault([btoa('short')]).seal(OWNER, SECRET)).rejects.toThrow(RangeError)
    await expect(createCredentialVault([]).seal(OWNER, SECRET)).rejects.toThrow(RangeError)
  })
})

describe('a text that an authorization keeps', () => {
  const AUTHORIZATION = {
    workspaceId: OWNER.workspaceId,
    authorizationId: '01890000-0000-7000-8000-000000000003',
  }
  const TEXT = SECRET.accessToken

  it('is opened as it was sealed', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'grapheme', maxLength: 300 }), async (text) => {
        const sealed = await vault.sealText(AUTHORIZATION, text)
        expect(await vault.openText(AUTHORIZATION, sealed)).toBe(text)
        expect((bytesOf(sealed) - 28) % 64).toBe(0)
      }),
    )
  })

  it('is opened for nobody else, nor as anything else', async () => {
    const sealed = await vault.sealText(AUTHORIZATION, TEXT)
    for (const other of [
      { ...AUTHORIZATION, workspaceId: AUTHORIZATION.authorizationId },
      { ...AUTHORIZATION, authorizationId: AUTHORIZATION.workspaceId },
    ])
      expect(await refusal(vault.openText(other, sealed))).toBe('broken')
    const asAccount = { ...OWNER, accountId: AUTHORIZATION.authorizationId }
    expect(await refusal(vault.open(asAccount, sealed))).toBe('broken')
    const ofAccount = await vault.seal(asAccount, SECRET)
    expect(await refusal(vault.openText(AUTHORIZATION, ofAccount))).toBe('broken')
  })

  it('is sealed for nobody whose parts could be read in two ways, and opened with no other key', async () => {
    await expect(vault.sealText({ ...AUTHORIZATION, authorizationId: 'a|b' }, TEXT)).rejects.toThrow(
      RangeError,
    )
    const sealed = await createCredentialVault([OTHER_KEY]).sealText(AUTHORIZATION, TEXT)
    expect(await refusal(vault.openText(AUTHORIZATION, sealed))).toBe('unknown_key')
  })
})
