import { posix } from 'node:path'
import type { SourceFile } from './files.ts'
import type { Finding } from './finding.ts'
import { type ImportReference, readImports } from './imports.ts'

interface Layer {
  name: string
  /** Imports point to lower levels, or to the same layer. */
  level: number
  /** Files, or directories where they end in `/`. */
  paths: readonly string[]
  /** Layers below that it stays away from all the same. */
  except?: readonly string[]
  /** Layers beside it whose types it may name: it makes what they ask for. */
  typesOf?: readonly string[]
}

/** The Worker, bottom up (docs/architecture.md, "Layers"). */
const LAYERS: readonly Layer[] = [
  { name: 'base', level: 0, paths: ['src/errors.ts', 'src/version.ts', 'src/lib/'] },
  { name: 'domain', level: 1, paths: ['src/domain/', 'src/env.ts', 'src/ports.ts', 'src/ports/'] },
  { name: 'realtime', level: 2, paths: ['src/realtime/'] },
  { name: 'resilience', level: 2, paths: ['src/resilience/'] },
  { name: 'db', level: 3, paths: ['src/db/'] },
  { name: 'adapters', level: 3, paths: ['src/adapters/'] },
  { name: 'services', level: 4, paths: ['src/services/'] },
  { name: 'http', level: 5, paths: ['src/http/'], except: ['db', 'adapters'] },
  { name: 'jobs', level: 5, paths: ['src/jobs/'], except: ['db', 'adapters'] },
  { name: 'deps', level: 5, paths: ['src/deps.ts'], typesOf: ['http', 'jobs'] },
  { name: 'app', level: 6, paths: ['src/app.ts', 'src/app/'] },
  { name: 'workers', level: 7, paths: ['workers/'] },
]

/** Modules of Node that a part of the Worker needs and workerd has. */
const ALLOWED_NODE_MODULES: Readonly<Record<string, readonly string[]>> = {
  'node:crypto': ['src/adapters/auth/'],
}

/** Modules that exist in workerd alone: what imports them cannot run in a plain test. */
const WORKERD_MODULES = /^cloudflare:/

const WIRE = 'src/http/wire.ts'

/** Everything that must keep to the layers. */
export const LAYERED_DIRECTORIES = ['src', 'workers', 'web'] as const

/** Finds imports that point where the layers do not allow. Test files are free. */
export function checkLayers(files: readonly SourceFile[]): Finding[] {
  return files.filter(({ path }) => !isTestFile(path)).flatMap(checkFile)
}

function checkFile({ path, source }: SourceFile): Finding[] {
  const isWeb = path.startsWith('web/')
  const layer = layerOf(path)
  if (!isWeb && !layer) {
    return [
      { file: path, line: 1, rule: 'layers', message: 'belongs to no layer; see scripts/check/layers.ts' },
    ]
  }
  return readImports(path, source).flatMap((reference) => {
    const message = isWeb ? problemOfWeb(path, reference) : layer && problemOf(path, layer, reference)
    return message ? [{ file: path, line: reference.line, rule: 'layers', message }] : []
  })
}

function problemOf(path: string, layer: Layer, { specifier, typeOnly }: ImportReference): string | undefined {
  if (specifier === null) return 'imports a computed name, which no check can follow'
  if (specifier.startsWith('node:')) return problemOfNodeModule(path, specifier)
  if (WORKERD_MODULES.test(specifier) && layer.name !== 'workers') {
    return `${specifier} belongs in workers/: take what it gives as a parameter`
  }
  const target = resolve(path, specifier)
  if (target === null) return undefined
  if (isTestFile(target)) return `imports ${target}, which is there for tests`
  const targetLayer = layerOf(target)
  if (!targetLayer) return `imports ${target}, which is not part of the Worker`
  if (targetLayer === layer) return undefined
  if (layer.except?.includes(targetLayer.name)) {
    return `${layer.name} imports ${targetLayer.name} (${target}): go through services`
  }
  if (targetLayer.level < layer.level) return undefined
  if (typeOnly && layer.typesOf?.includes(targetLayer.name)) return undefined
  const direction = targetLayer.level === layer.level ? 'sideways' : 'upwards'
  return `${layer.name} [${layer.level}] imports ${direction} from ${targetLayer.name} [${targetLayer.level}] (${target})`
}

/** The dashboard knows of the server what travels, and the domain's pure functions. */
function problemOfWeb(path: string, { specifier, typeOnly }: ImportReference): string | undefined {
  const target = specifier === null ? null : resolve(path, specifier)
  if (target === null || target.startsWith('web/') || target.startsWith('src/domain/')) return undefined
  if (target === WIRE) return typeOnly ? undefined : `imports ${WIRE} as a value: write \`import type\``
  return `imports ${target}: the dashboard imports web, src/domain and the types of ${WIRE}`
}

function problemOfNodeModule(path: string, specifier: string): string | undefined {
  const allowed = ALLOWED_NODE_MODULES[specifier] ?? []
  if (allowed.some((place) => covers(place, path))) return undefined
  return `imports ${specifier}, which is not on the list in scripts/check/layers.ts`
}

/** The path in the repository that a specifier names, `null` for a package. */
function resolve(path: string, specifier: string): string | null {
  if (specifier.startsWith('/')) return specifier
  if (!/^\.\.?(?:\/|$)/.test(specifier)) return null
  return posix.join(posix.dirname(path), specifier)
}

function layerOf(path: string): Layer | undefined {
  return LAYERS.find(({ paths }) => paths.some((place) => covers(place, path)))
}

function covers(place: string, path: string): boolean {
  return place.endsWith('/') ? path.startsWith(place) : path === place
}

function isTestFile(path: string): boolean {
  return path.startsWith('test/') || /\.test(?:-[a-z]+)?\.tsx?$/.test(path)
}
