import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { REPOSITORY } from './files.ts'
import { PERMISSIONS_DOCUMENT, permissionsDocument } from './permissions.ts'

/** `node scripts/check/permissions-command.ts`: writes the table of permissions down. */
await writeFile(join(REPOSITORY, PERMISSIONS_DOCUMENT), permissionsDocument())
console.log(`Wrote ${PERMISSIONS_DOCUMENT}.`)
