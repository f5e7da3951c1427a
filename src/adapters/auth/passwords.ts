import { createHash, randomBytes, scrypt, timingSafeEqual } from 'node:crypto'
import { createPace } from './pace.ts'

/** How a password is hashed: `lanes` runs of scrypt, each with this cost. */
interface Cost {
  N: number
  r: number
  lanes: number
}

/**
 * The work of one run with N = 2^14, r = 8, p = 5 (OWASP's Password Storage Cheat Sheet), cut into short runs:
 * workerd hashes on the thread that answers, and whoever reads meanwhile waits for one of them at most.
 */
const COST: Cost = { N: 2_048, r: 8, lanes: 40 }
/** What the sign-in library would do: hashes made so are still known, and made no more. */
const LIBRARY_COST: Cost = { N: 16_384, r: 16, lanes: 1 }
const KEY_BYTES = 64
const SALT_BYTES = 16
const VERSION = 'scrypt-lanes'

/** Half of the isolate's time is left to everybody else. */
const pace = createPace({ pauseMs: 6, maxWaitMs: 15_000 })

/**
 * A hash to be kept: how it was made, salt and key.
 * @throws AppError `unavailable` when too many are hashed
 */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES).toString('hex')
  const key = await derive(password, salt, COST)
  return [VERSION, COST.N, COST.r, COST.lanes, salt, key.toString('hex')].join(':')
}

/**
 * Whether a password is the one of a hash; takes as long whatever the answer.
 * @throws when it is no hash, and as `hashPassword`
 */
export async function verifyPassword(hash: string, password: string): Promise<boolean> {
  const { cost, salt, key } = parse(hash)
  const known = Buffer.from(key, 'hex')
  const given = await derive(password, salt, cost)
  return known.length === given.length && timingSafeEqual(known, given)
}

function parse(hash: string): { cost: Cost; salt: string; key: string } {
  const parts = hash.split(':')
  const [salt, key] = parts.slice(-2)
  if (!salt || !key) throw new Error('This is no password hash')
  if (parts.length === 2) return { cost: LIBRARY_COST, salt, key }
  const [version, N, r, lanes] = parts
  if (parts.length !== 6 || version !== VERSION) throw new Error('This is no password hash')
  return { cost: { N: Number(N), r: Number(r), lanes: Number(lanes) }, salt, key }
}

/**
 * The key of a password: the hash over all lanes, so that none of them can be tried without the others.
 * Keyboards write one letter in several ways: all of them are the same password.
 */
async function derive(password: string, salt: string, cost: Cost): Promise<Buffer> {
  const text = password.normalize('NFKC')
  if (cost.lanes === 1) return runLane(text, salt, cost)
  const digest = createHash('sha512')
  for (let lane = 0; lane < cost.lanes; lane += 1) digest.update(await runLane(text, `${salt}:${lane}`, cost))
  return digest.digest()
}

function runLane(password: string, salt: string, { N, r }: Cost): Promise<Buffer> {
  // Twice of what it takes: what is allowed by default is less.
  const options = { N, r, p: 1, maxmem: 2 * 128 * N * r }
  return pace(
    () =>
      new Promise((resolve, reject) => {
        scrypt(password, salt, KEY_BYTES, options, (error, key) => {
          if (error === null) resolve(key)
          else reject(error)
        })
      }),
  )
}
