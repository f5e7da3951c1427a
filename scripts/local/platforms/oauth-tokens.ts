import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { z } from 'zod'

const claimsSchema = z.object({
  type: z.enum(['code', 'access', 'refresh']),
  platform: z.string(),
  clientId: z.string(),
  /** None: a token of an application alone. */
  accountIds: z.array(z.string()),
  scopes: z.array(z.string()),
  /** Epoch milliseconds. */
  issuedAt: z.number(),
  /** Epoch milliseconds; none: it does not expire. */
  expiresAt: z.number().nullable(),
  /** Tells tokens apart that are alike otherwise. */
  nonce: z.string(),
  /** Of codes: what has to be shown to exchange them. */
  redirectUri: z.string().optional(),
  challenge: z.object({ method: z.enum(['S256', 'plain']), value: z.string() }).optional(),
})

/** What a token says of itself. */
export type TokenClaims = z.infer<typeof claimsSchema>

/** Writes and reads tokens that carry what they stand for, so that a server that starts anew knows them. */
export interface TokenMint {
  write(claims: Omit<TokenClaims, 'nonce'>): string
  /** Undefined for whatever was not written with the same secret. */
  read(token: string): TokenClaims | undefined
}

export function createTokenMint(secret: string): TokenMint {
  const sign = (payload: string): string => createHmac('sha256', secret).update(payload).digest('base64url')
  return {
    write: (claims) => {
      const nonce = randomBytes(9).toString('base64url')
      const payload = Buffer.from(JSON.stringify({ ...claims, nonce })).toString('base64url')
      return `${payload}.${sign(payload)}`
    },
    read: (token) => {
      const [payload = '', signature = ''] = token.split('.')
      if (!isSame(signature, sign(payload))) return undefined
      return claimsSchema.parse(JSON.parse(Buffer.from(payload, 'base64url').toString()))
    },
  }
}

/** Compares secrets without telling how much of them is right. */
export function isSame(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)]
  return a.length === b.length && timingSafeEqual(a, b)
}
