import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { REPOSITORY } from '../../check/files.ts'
import type { RawConfiguration } from '../configuration.ts'

const MEMORY_FILE = join(REPOSITORY, '.local/deployment.json')

/** The Workers' addresses, those that are known. */
export type Addresses = Pick<RawConfiguration, 'PUBLIC_URL' | 'CALLBACKS_URL'>

const Memory = z.object({ publicUrl: z.url(), callbacksUrl: z.url() }).partial()

/** The addresses that earlier deployments from this checkout found. */
export async function recallAddresses(): Promise<Addresses> {
  const text = await readFile(MEMORY_FILE, 'utf8').catch(() => '{}')
  const { publicUrl, callbacksUrl } = Memory.safeParse(JSON.parse(text)).data ?? {}
  return {
    ...(publicUrl !== undefined && { PUBLIC_URL: publicUrl }),
    ...(callbacksUrl !== undefined && { CALLBACKS_URL: callbacksUrl }),
  }
}

/** Notes what was found, beside what is known already. */
export async function rememberAddresses(found: Addresses): Promise<void> {
  const { PUBLIC_URL: publicUrl, CALLBACKS_URL: callbacksUrl } = { ...(await recallAddresses()), ...found }
  await mkdir(dirname(MEMORY_FILE), { recursive: true })
  await writeFile(MEMORY_FILE, `${JSON.stringify({ publicUrl, callbacksUrl }, null, 2)}\n`)
}
