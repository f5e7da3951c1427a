import { expect, it } from 'vitest'
import { checkVersions } from './versions.ts'

const migrations = ['0000_init', '0001_more']

it('wants the code to name the version and the newest migration of the repository', () => {
  expect(
    checkVersions({ version: '1.2.3', migrations }, { version: '1.2.3', schemaVersion: '0001_more' }),
  ).toEqual([])
  expect(
    checkVersions({ version: '1.2.4', migrations }, { version: '1.2.3', schemaVersion: '0000_init' }),
  ).toMatchObject([
    { message: 'VERSION is not that of package.json, 1.2.4' },
    { message: 'SCHEMA_VERSION is not the newest migration, 0001_more' },
  ])
})
