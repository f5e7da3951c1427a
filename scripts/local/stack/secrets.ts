import { randomBytes } from 'node:crypto'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { z } from 'zod'

const text = z.string().min(1)

/** What only this stack knows: made once, kept with its data. */
export const Secrets = z.object({
  databaseOwnerPassword: text,
  databaseAppPassword: text,
  redisToken: text,
  qstashToken: text,
  qstashCurrentSigningKey: text,
  qstashNextSigningKey: text,
  authSecret: text,
  /** 32 bytes in base64. */
  credentialsKey: text,
  metricsToken: text,
  mailApiKey: text,
  demoPassword: text,
})
export type Secrets = z.infer<typeof Secrets>

const token = (bytes = 24) => randomBytes(bytes).toString('base64url')

function generateSecrets(): Secrets {
  return {
    databaseOwnerPassword: token(),
    databaseAppPassword: token(),
    redisToken: token(),
    qstashToken: token(),
    qstashCurrentSigningKey: `sig_${token()}`,
    qstashNextSigningKey: `sig_${token()}`,
    authSecret: token(36),
    credentialsKey: randomBytes(32).toString('base64'),
    metricsToken: token(),
    mailApiKey: `re_${token()}`,
    demoPassword: token(12),
  }
}

/**
 * Reads the secrets in a file, and completes them where some are missing. Whatever is there stays.
 * @throws when the file cannot be read or written; the message names no secret.
 */
export async function loadSecrets(file: string): Promise<Secrets> {
  const known = Secrets.partial().parse(await readJson(file))
  const secrets = Secrets.parse({ ...generateSecrets(), ...known })
  if (Object.keys(known).length < Object.keys(Secrets.shape).length) await writePrivate(file, secrets)
  return secrets
}

/** Writes JSON that only this user may read, whole or not at all. */
export async function writePrivate(file: string, value: unknown): Promise<void> {
  const fresh = `${file}.new`
  await writeFile(fresh, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 })
  await rename(fresh, file)
}

async function readJson(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8'))
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return {}
    throw new Error(`${file} cannot be read; start with --reset to begin anew`, { cause: error })
  }
}
