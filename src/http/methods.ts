import { createMiddleware } from 'hono/factory'
import { AppError } from '../errors.ts'
import type { HttpEnv } from './context.ts'
import type { createApi } from './openapi.ts'
import { problemResponse } from './problem.ts'

/** Answers 405 with `Allow` where a path exists and the method does not, before anybody is asked who they are. */
export function refuseMethod(api: ReturnType<typeof createApi>) {
  const byPath = new Map<string, { pattern: RegExp; methods: Set<string> }>()
  for (const { path, method } of api.openAPIRegistry.definitions.flatMap((d) =>
    d.type === 'route' ? [d.route] : [],
  )) {
    const known = byPath.get(path) ?? {
      pattern: new RegExp(`^${path.replace(/\{[^}]+\}/g, '[^/]+')}$`),
      methods: new Set(['OPTIONS']),
    }
    known.methods.add(method.toUpperCase())
    if (method === 'get') known.methods.add('HEAD')
    byPath.set(path, known)
  }
  const routes = [...byPath.values()]
  return createMiddleware<HttpEnv>(async (c, next) => {
    const methods = routes
      .filter((route) => route.pattern.test(c.req.path))
      .flatMap((route) => [...route.methods])
    if (methods.length > 0 && !methods.includes(c.req.method)) {
      const error = new AppError('method_not_allowed', `${c.req.method} is not available here.`)
      // Answered here and not thrown: an error's answer carries no header of its middleware.
      const refusal = problemResponse(error, { url: c.req.url, requestId: c.get('requestId') })
      refusal.headers.set('allow', [...new Set(methods)].sort().join(', '))
      return refusal
    }
    if (c.req.method === 'OPTIONS')
      return c.body(null, 204, { allow: [...new Set(methods)].sort().join(', ') })
    return next()
  })
}
