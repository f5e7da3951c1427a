import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { REPOSITORY } from '../check/files.ts'
import { FINGERPRINTS_FILE, renderFingerprints } from './fingerprints.ts'

await writeFile(join(REPOSITORY, FINGERPRINTS_FILE), renderFingerprints())
console.log(`Wrote ${FINGERPRINTS_FILE}`)
