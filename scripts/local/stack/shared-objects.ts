import type { V4WorkerOptions, V4WorkerOptionsShape } from 'miniflare'

/**
 * Cloudflare gives a Durable Object and a bucket to several Workers. Here each Worker is a process of its own, and
 * only one process may open what they store: it has a Worker that others call, and these have stand-ins for their
 * bindings that call it.
 */

/** Where objects and buckets are that several Workers have. */
export interface SharedObjects {
  /** Of the Worker that hands them on. */
  port: number
  /** Whoever has it may call. */
  token: string
}

export type Module = Extract<V4WorkerOptions, { modules: unknown[] }>['modules'][number]
export type DescribedWorker = V4WorkerOptions & { modules: Module[] }

const HOST = '127.0.0.1'
const COUNTER = 'objects'
const TOKEN_BINDING = 'LOCAL_TOKEN'
const STAND_IN_MODULE = 'local-objects.js'

/** A Worker beside the one that has them, in its process, that hands on its objects and buckets. */
export function handOnObjects(worker: V4WorkerOptionsShape, { port, token }: SharedObjects): V4WorkerOptions {
  const { name = '', compatibilityDate, compatibilityFlags, durableObjects = {}, r2Buckets } = worker
  return {
    name: COUNTER,
    ...(compatibilityDate && { compatibilityDate }),
    ...(compatibilityFlags && { compatibilityFlags }),
    modules: [textModule('index.js', COUNTER_MODULE)],
    modulesRoot: '/',
    bindings: { [TOKEN_BINDING]: token },
    durableObjects: Object.fromEntries(
      Object.entries(durableObjects).map(([binding, object]) => [
        binding,
        { ...(typeof object === 'string' ? { className: object } : object), scriptName: name },
      ]),
    ),
    ...(r2Buckets && { r2Buckets }),
    unsafeDirectSockets: [{ host: HOST, port }],
  }
}

/** The same Worker, which finds another process's objects and buckets behind its bindings. */
export function reachObjects(worker: DescribedWorker, entry: string, shared: SharedObjects): DescribedWorker {
  const { durableObjects = {}, r2Buckets = {}, ...rest } = worker
  const module = standInModule(entry, {
    ...shared,
    namespaces: Object.keys(durableObjects),
    buckets: Object.keys(r2Buckets),
  })
  return { ...rest, modules: [textModule(STAND_IN_MODULE, module), ...worker.modules] }
}

export function textModule(name: string, source: string): Module {
  return { type: 'ESModule', path: `/${name}`, contents: source }
}

/** What is asked: `POST /BINDING/name/method` of an object, `GET`, `PUT` and `DELETE /BINDING/key` of a bucket. */
const COUNTER_MODULE = `
export default {
  async fetch(request, env) {
    if (request.headers.get('authorization') !== 'Bearer ' + env.${TOKEN_BINDING}) return new Response(null, { status: 401 })
    const [binding, name, method] = new URL(request.url).pathname.slice(1).split('/').map(decodeURIComponent)
    const bucket = env[binding]
    switch (request.method) {
      case 'POST':
        try {
          const result = await bucket.getByName(name)[method](...(await request.json()))
          return Response.json({ result: result ?? null })
        } catch (error) {
          const { message, retryable, overloaded } = error
          return Response.json({ message, retryable, overloaded }, { status: 500 })
        }
      case 'GET': {
        const range = request.headers.get('x-range')
        const object = await bucket.get(name, range === null ? {} : { range: JSON.parse(range) })
        return object === null ? new Response(null, { status: 404 }) : new Response(object.body)
      }
      case 'PUT':
        await bucket.put(name, await request.arrayBuffer())
        return new Response()
      case 'DELETE':
        await bucket.delete(name)
        return new Response()
    }
  },
}`

/** The module around a Worker's entry whose bindings are elsewhere: as much of them as is used of another Worker's. */
function standInModule(
  entry: string,
  options: SharedObjects & { namespaces: string[]; buckets: string[] },
): string {
  const { port, token, namespaces, buckets } = options
  return `
import worker from './${entry}'
export * from './${entry}'

async function ask(method, path, { headers = {}, body } = {}) {
  const url = 'http://${HOST}:${port}/' + path.map(encodeURIComponent).join('/')
  const authorization = ${JSON.stringify(`Bearer ${token}`)}
  return fetch(url, { method, headers: { ...headers, authorization }, body })
}

async function call(binding, name, method, parameters) {
  const response = await ask('POST', [binding, name, method], { body: JSON.stringify(parameters) })
  if (response.ok) return (await response.json()).result
  const { message, ...traits } = await response.json()
  throw Object.assign(new Error(message), traits)
}

function namespaceOf(binding) {
  const stub = (name) =>
    new Proxy({}, { get: (_, method) => (...parameters) => call(binding, name, method, parameters) })
  return { getByName: stub }
}

async function expectOk(asked) {
  const response = await asked
  if (!response.ok) throw new Error('The bucket answers ' + response.status)
  return response
}

function bucketOf(binding) {
  return {
    async get(key, { range } = {}) {
      const headers = range === undefined ? {} : { 'x-range': JSON.stringify(range) }
      const response = await ask('GET', [binding, key], { headers })
      return response.status === 404 ? null : expectOk(response)
    },
    put: async (key, body) => void (await expectOk(ask('PUT', [binding, key], { body }))),
    delete: async (key) => void (await expectOk(ask('DELETE', [binding, key]))),
  }
}

const standIns = {
  ...Object.fromEntries(${JSON.stringify(namespaces)}.map((binding) => [binding, namespaceOf(binding)])),
  ...Object.fromEntries(${JSON.stringify(buckets)}.map((binding) => [binding, bucketOf(binding)])),
}
let bound

export default {
  ...worker,
  fetch(request, env, ctx) {
    bound ??= { ...env, ...standIns }
    return worker.fetch(request, bound, ctx)
  },
}`
}
