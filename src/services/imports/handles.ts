import type { ImportHandle } from '../../db/queries/imports.ts'

/** The longest handle, as in a file's rows. */
const MAX_HANDLE_LENGTH = 256

/**
 * A handle as it is kept and as it is compared: without spaces around it and a leading `@`, and in one
 * spelling of its accents. `null` for what is no handle.
 */
export function normaliseHandle(text: string): ImportHandle | null {
  const handle = text.trim().replace(/^@\s*/, '').normalize('NFC')
  if (handle === '' || handle.length > MAX_HANDLE_LENGTH || handle.includes('\0') || !handle.isWellFormed())
    return null
  return { handle, folded: handle.toLowerCase().normalize('NFC') }
}
