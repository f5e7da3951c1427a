import { createHash, randomUUID } from 'node:crypto'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { z } from 'zod'
import { MailApiError, type SendRequest } from './send-request.ts'

export const StoredMail = z.object({
  id: z.string(),
  /** RFC 3339. */
  at: z.string(),
  from: z.string(),
  to: z.array(z.string()),
  subject: z.string(),
  text: z.string().nullable(),
  html: z.string().nullable(),
})
export type StoredMail = z.infer<typeof StoredMail>

/** As it is kept: with what tells a repetition from another mail. */
const Entry = z.object({
  mail: StoredMail,
  idempotencyKey: z.string().nullable(),
  requestHash: z.string(),
})
type Entry = z.infer<typeof Entry>

export interface MailStoreOptions {
  /** Where they are kept. */
  file: string
  /** Milliseconds since 1970. */
  now: () => number
  /** Told when what was kept cannot be read. */
  log: (line: string) => void
}

export interface MailStore {
  /** Newest first. */
  list(): StoredMail[]
  find(id: string): StoredMail | undefined
  /**
   * Keeps a mail, unless it was kept under this key before; resolves with its id once it is on the disk.
   * @throws MailApiError 409 where the key was used for another mail
   */
  add(request: SendRequest, idempotencyKey: string | null): Promise<string>
  clear(): Promise<void>
}

const MAX_MAILS = 200
const KEY_TTL_MS = 24 * 3_600_000

/** Opens the mails in a file. What cannot be read is begun anew: none of it is anybody's only copy. */
export async function openMailStore({ file, now, log }: MailStoreOptions): Promise<MailStore> {
  let entries = await readEntries(file, log)
  let writing: Promise<void> = Promise.resolve()

  /** One after the other, each with everything that is there by then. */
  const save = (): Promise<void> => {
    const next = writing.catch(() => {}).then(() => writeEntries(file, entries))
    writing = next
    return next
  }

  return {
    list: () => entries.map(({ mail }) => mail),
    find: (id) => entries.find(({ mail }) => mail.id === id)?.mail,
    async add(request, idempotencyKey) {
      const requestHash = createHash('sha256').update(JSON.stringify(request)).digest('hex')
      const known =
        idempotencyKey === null ? undefined : entries.find((entry) => entry.idempotencyKey === idempotencyKey)
      if (known !== undefined && Date.parse(known.mail.at) > now() - KEY_TTL_MS) {
        if (known.requestHash === requestHash) return known.mail.id
        throw new MailApiError(409, 'invalid_idempotent_request', 'This key was used for another mail')
      }
      const { from, to, subject, text = null, html = null } = request
      const mail = { id: randomUUID(), at: new Date(now()).toISOString(), from, to, subject, text, html }
      entries = [{ mail, idempotencyKey, requestHash }, ...entries].slice(0, MAX_MAILS)
      await save()
      return mail.id
    },
    async clear() {
      entries = []
      await save()
    },
  }
}

async function readEntries(file: string, log: (line: string) => void): Promise<Entry[]> {
  const text = await readFile(file, 'utf8').catch(() => '[]')
  try {
    return z.array(Entry).parse(JSON.parse(text))
  } catch {
    log(`${file} cannot be read: the mails of earlier starts are gone`)
    return []
  }
}

/** Whole or not at all; for this user alone, since mails carry links that open accounts. */
async function writeEntries(file: string, entries: Entry[]): Promise<void> {
  const fresh = `${file}.new`
  await writeFile(fresh, JSON.stringify(entries), { mode: 0o600 })
  await rename(fresh, file)
}
