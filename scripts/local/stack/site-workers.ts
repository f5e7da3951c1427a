/**
 * Cloudflare decides before the Worker runs whether a request is the Worker's or a static file's. Miniflare
 * does so in JavaScript, at several times the cost of a request; these two small Workers decide the same at
 * a fraction of it.
 */

/** Bindings of the two. */
export const WORKER_BINDING = 'WORKER'
export const SITE_BINDING = 'SITE'
export const ASSETS_BINDING = 'ASSETS'
/** The entry point of the site's Worker that serves files alone: what the Worker's own assets binding is. */
export const ASSETS_ENTRY = 'Assets'

/**
 * A Worker in front: what the patterns name goes straight to the Worker, everything else to the site.
 * @param patterns `run_worker_first` of wrangler.toml: `*` stands for anything, `!` in front excludes
 */
export function frontSource(patterns: readonly string[]): string {
  const rules = { included: [] as string[], excluded: [] as string[] }
  for (const pattern of patterns) {
    if (pattern.startsWith('!')) rules.excluded.push(regularExpression(pattern.slice(1)))
    else rules.included.push(regularExpression(pattern))
  }
  return `
const isAnyOf = (sources) => {
  const expressions = sources.map((source) => new RegExp(source))
  return (path) => expressions.some((expression) => expression.test(path))
}
const isIncluded = isAnyOf(${JSON.stringify(rules.included)})
const isExcluded = isAnyOf(${JSON.stringify(rules.excluded)})
const pathOf = (url) => {
  const start = url.indexOf('/', url.indexOf('//') + 2)
  const end = url.indexOf('?', start)
  return end < 0 ? url.slice(start) : url.slice(start, end)
}
export default {
  fetch(request, env) {
    const path = pathOf(request.url)
    const target = isIncluded(path) && !isExcluded(path) ? env.${WORKER_BINDING} : env.${SITE_BINDING}
    return target.fetch(request)
  },
}`
}

/** The Worker that static files belong to: what is no file goes on to the Worker. */
export const SITE_SOURCE = `
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
  const escaped = pattern.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\/]/g, '\\$&'))
  return `^${escaped.join('.*')}$`
}
