import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { readMigrations } from '../db/migrations.ts'
import { checkCapabilities, PLATFORMS_DOCUMENT } from './capabilities.ts'
import { checkDocuments } from './documents.ts'
import { listFiles, REPOSITORY, readFiles } from './files.ts'
import { formatFindings } from './finding.ts'
import { checkLayers, LAYERED_DIRECTORIES } from './layers.ts'
import { checkMigrations } from './migrations.ts'
import { checkPermissions, PERMISSIONS_DOCUMENT } from './permissions.ts'
import { runTool, type Step } from './run-steps.ts'
import { checkVersions } from './versions.ts'

const PackageJson = z.object({ version: z.string(), scripts: z.record(z.string(), z.string()) })

/** Everything that `npm run check` runs; what takes longest comes first. */
export const STEPS: readonly Step[] = [
  tool('types', 'typescript/bin/tsc', '--noEmit', '-p', 'tsconfig.json'),
  tool('lint', '@biomejs/biome/bin/biome', 'check', '--error-on-warnings', '--max-diagnostics=200', '.'),
  tool('web types', 'typescript/bin/tsc', '--noEmit', '-p', 'web/tsconfig.json'),
  tool('dead code', 'knip/bin/knip.js', '--config', 'scripts/check/knip.json', '--no-progress'),
  {
    name: 'layers',
    run: async () => {
      const paths = await Promise.all(
        LAYERED_DIRECTORIES.map((directory) => listFiles(directory, ['.ts', '.tsx'])),
      )
      return formatFindings(checkLayers(await readFiles(paths.flat())))
    },
  },
  { name: 'migrations', run: async () => formatFindings(checkMigrations(await readMigrations())) },
  {
    name: 'versions',
    run: async () => {
      const { version } = await readPackage()
      const migrations = (await readMigrations()).map(({ name }) => name)
      return formatFindings(checkVersions({ version, migrations }))
    },
  },
  {
    name: 'permissions',
    run: async () => {
      const document = await readFile(join(REPOSITORY, PERMISSIONS_DOCUMENT), 'utf8').catch(() => '')
      return formatFindings(checkPermissions(document))
    },
  },
  {
    name: 'platforms',
    run: async () => {
      const document = await readFile(join(REPOSITORY, PLATFORMS_DOCUMENT), 'utf8').catch(() => '')
      return formatFindings(checkCapabilities(document))
    },
  },
  {
    name: 'documents',
    run: async () => {
      const files = await listFiles('.', [''])
      const documents = files.filter((path) => path.endsWith('.md'))
      const { scripts } = PackageJson.parse(
        JSON.parse(await readFile(join(REPOSITORY, 'package.json'), 'utf8')),
      )
      const ignored = (await readFile(join(REPOSITORY, '.gitignore'), 'utf8')).split('\n')
      const repository = { files, scripts: Object.keys(scripts), ignored }
      return formatFindings(checkDocuments(await readFiles(documents), repository))
    },
  },
]

/**
 * The steps that were asked for by name, all of them where none was.
 * @throws when there is no step of a name.
 */
export function chooseSteps(names: readonly string[]): readonly Step[] {
  const unknown = names.filter((name) => !STEPS.some((step) => step.name === name))
  if (unknown.length > 0) {
    const known = STEPS.map(({ name }) => name).join(', ')
    throw new Error(`There is no check "${unknown.join('", "')}". There are: ${known}.`)
  }
  return names.length === 0 ? STEPS : STEPS.filter(({ name }) => names.includes(name))
}

async function readPackage() {
  return PackageJson.parse(JSON.parse(await readFile(join(REPOSITORY, 'package.json'), 'utf8')))
}

function tool(name: string, bin: string, ...args: string[]): Step {
  return {
    name,
    run: async () => {
      const path = join(REPOSITORY, 'node_modules', bin)
      if (!existsSync(path)) return `${bin} is not installed: run \`npm ci\``
      return runTool([path, ...args], REPOSITORY)
    },
  }
}
