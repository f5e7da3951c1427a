import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PLATFORMS_DOCUMENT, withTables } from './capabilities.ts'
import { REPOSITORY } from './files.ts'

/** `node scripts/check/capabilities-command.ts`: writes the tables of what platforms can do down. */
const path = join(REPOSITORY, PLATFORMS_DOCUMENT)
await writeFile(path, withTables(await readFile(path, 'utf8')))
console.log(`Wrote the tables of ${PLATFORMS_DOCUMENT}.`)
