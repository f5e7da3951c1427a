/**
 * Cloudflare decides before the Worker runs whether a request is the Worker's or a static file's. Miniflare
 * decides the same in Workers of its own in front, at four times the cost of a request. Here a module around
 * the Worker's decides, which costs next to nothing.
 */

/** Bindings and entry points between the Worker and the one that has the static files. */
export const SITE_BINDING = 'LOCAL_SITE'
export const WORKER_BINDING = 'WORKER'
export const ASSETS_BINDING = 'ASSETS'
/** Of the Worker: as it is, whatever the path. */
export const UNROUTED_ENTRY = 'Unrouted'
/** Of the site: static files alone, which is what the Worker's own assets binding gives. */
export const ASSETS_ENTRY = 'Assets'

/**
 * The module that stands in for the Worker's entry: what the patterns name goes to the Worker, everything
 * else to the site.
 * @param entry the Worker's entry module, beside this one
 * @param patterns `run_worker_first` of wrangler.toml: `*` stands for anything, `!` in front excludes
 */
export function routingModule(entry: string, patterns: readonly string[]): string {
  const included = patterns.filter((pattern) => !pattern.startsWith('!')).map(regularExpression)
  const excluded = patterns
    .filter((pattern) => pattern.startsWith('!'))
    .map((p) => regularExpression(p.slice(1)))
  return `
import { WorkerEntrypoint } from 'cloudflare:workers'
import worker from './${entry}'
export * from './${entry}'

const expressions = (sources) => sources.map((source) => new RegExp(source))
const included = expressions(${JSON.stringify(included)})
const excluded = expressions(${JSON.stringify(excluded)})

function pathOf(url) {
  const start = url.indexOf('/', url.indexOf('//') + 2)
  const end = url.indexOf('?', start)
  return end < 0 ? url.slice(start) : url.slice(start, end)
}

function isWorkers(path) {
  return included.some((one) => one.test(path)) && !excluded.some((one) => one.test(path))
}

export class ${UNROUTED_ENTRY} extends WorkerEntrypoint {
  fetch(request) {
    return worker.fetch(request, this.env, this.ctx)
  }
}

export default {
  ...worker,
  fetch(request, env, ctx) {
    return isWorkers(pathOf(request.url)) ? worker.fetch(request, env, ctx) : env.${SITE_BINDING}.fetch(request)
  },
}`
}

/** The Worker that has the static files: what is none of them goes on to the Worker. */
export const SITE_MODULE = `
import { WorkerEntrypoint } from 'cloudflare:workers'

export class ${ASSETS_ENTRY} extends WorkerEntrypoint {
  fetch(request) {
    return this.env.${ASSETS_BINDING}.fetch(request)
  }
}

export default {
  fetch(request, env) {
    return env.${WORKER_BINDING}.fetch(request)
  },
}`

function regularExpression(pattern: string): string {
  const literals = pattern.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\/]/g, '\\$&'))
  return `^${literals.join('.*')}$`
}
