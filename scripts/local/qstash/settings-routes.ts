import { z } from 'zod'
import { ApiError } from './api-error.ts'
import type { Dispatcher } from './dispatcher.ts'
import { readInteger } from './filters.ts'
import { readJson } from './message-routes.ts'
import { presentQueue, presentSchedule, presentUrlGroup } from './presentation.ts'
import { checkName, isHttpUrl } from './publish-options.ts'
import type { Schedules } from './schedules.ts'
import type { ApiRequest, Route } from './server.ts'
import type { SettingsStore, SigningKeys } from './settings-store.ts'
import type { Clock, StoredQueue, UrlGroupEndpoint } from './types.ts'

const queueSchema = z.object({
  queueName: z.string(),
  parallelism: z.int().min(1).default(1),
  paused: z.boolean().default(false),
})

const endpointSchema = z.object({ url: z.string().optional(), name: z.string().optional() })
const endpointsSchema = z.object({ endpoints: z.array(endpointSchema).min(1) })

const OK = { status: 200 }

/** Schedules, queues, flow control, URL groups and signing keys. */
export function settingsRoutes(options: {
  settings: SettingsStore
  dispatcher: Dispatcher
  schedules: Schedules
  clock: Clock
  signingKeys: () => SigningKeys
  rotateKeys: () => SigningKeys
}): Route[] {
  const { settings, dispatcher, schedules, clock } = options
  const { flow } = dispatcher

  const schedulesRoute: Route = (request) => {
    const { method, segments, rawPath } = request
    const [collection, scheduleId, action, ...rest] = segments
    if (collection !== 'schedules') return undefined
    if (scheduleId === undefined) {
      return method === 'GET' ? { status: 200, body: schedules.list().map(presentSchedule) } : undefined
    }
    if ((action === 'pause' || action === 'resume') && rest.length === 0) {
      if (method !== 'PATCH' && method !== 'POST') return undefined
      schedules.setPaused(scheduleId, action === 'pause')
      return OK
    }
    if (method === 'POST') {
      const destination = rawPath.slice('schedules/'.length)
      return { status: 200, body: { scheduleId: schedules.create({ ...request, destination }) } }
    }
    if (action !== undefined) return undefined
    if (method === 'GET') return { status: 200, body: presentSchedule(schedules.get(scheduleId)) }
    if (method !== 'DELETE') return undefined
    schedules.delete(scheduleId)
    return OK
  }

  const queuesRoute: Route = ({ method, segments, body }) => {
    const [collection, first, action, ...rest] = segments
    if (collection !== 'queues' || rest.length > 0) return undefined
    // The documentation also writes `/v2/queues/` for creating one.
    if (first === undefined || first === '') {
      if (method === 'GET') {
        return { status: 200, body: settings.queues().map((q) => presentQueue(q, dispatcher.queues)) }
      }
      if (method !== 'POST') return undefined
      const { queueName, parallelism, paused } = readJson(queueSchema, body)
      saveQueue(checkName('queue name', queueName), { parallelism, paused })
      return OK
    }
    const name = checkName('queue name', first)
    if (action === undefined && method === 'GET') {
      return { status: 200, body: presentQueue(getQueue(name), dispatcher.queues) }
    }
    if (action === undefined && method === 'DELETE') {
      deleteQueue(name)
      return OK
    }
    if (method !== 'POST' || (action !== 'pause' && action !== 'resume')) return undefined
    saveQueue(name, { parallelism: getQueue(name).parallelism, paused: action === 'pause' })
    return OK
  }

  const getQueue = (name: string): StoredQueue => {
    const queue = settings.queue(name)
    if (!queue) throw new ApiError(404, `queue ${name} not found`)
    return queue
  }

  const saveQueue = (name: string, change: { parallelism: number; paused: boolean }): void => {
    const nowMs = clock.now()
    const createdAtMs = settings.queue(name)?.createdAtMs ?? nowMs
    settings.saveQueue({ name, ...change, createdAtMs, updatedAtMs: nowMs })
    dispatcher.queues.set(name, change)
    dispatcher.checkIdle()
  }

  /** Its messages go with it. */
  const deleteQueue = (name: string): void => {
    const { parallelism } = getQueue(name)
    // Paused first: a message that is cancelled must not let the next one go.
    dispatcher.queues.set(name, { parallelism, paused: true })
    const messageIds = [...dispatcher.pending()]
      .filter(({ spec }) => spec.queueName === name)
      .map(({ spec }) => spec.messageId)
    dispatcher.cancel(messageIds)
    settings.removeQueue(name)
    dispatcher.queues.delete(name)
  }

  const flowControlRoute: Route = (request) => {
    const { method, segments, query } = request
    const [collection, key, action, ...rest] = segments
    if (rest.length > 0) return undefined
    if (collection === 'globalParallelism' && method === 'GET' && key === undefined) {
      const body = { parallelismMax: flow.maxParallelism, parallelismCount: flow.activeCount }
      return { status: 200, body }
    }
    if (collection !== 'flowControl') return undefined
    if (key === undefined) {
      if (method !== 'GET') return undefined
      const search = query.get('search') ?? ''
      const keys = flow.keys().filter((each) => each.includes(search))
      return { status: 200, body: keys.map((each) => flow.describe(each)) }
    }
    if (method === 'GET' && action === undefined) {
      const body = flow.describe(key)
      if (!body) throw new ApiError(404, `flow control key ${key} not found`)
      return { status: 200, body }
    }
    if (method !== 'POST' || action === undefined) return undefined
    const changed = changeFlowKey(key, action, request)
    dispatcher.checkIdle()
    return changed ? OK : undefined
  }

  const changeFlowKey = (key: string, action: string, { query }: ApiRequest): boolean => {
    if (action === 'pause') flow.pause(key)
    else if (action === 'resume') flow.resume(key)
    else if (action === 'resetRate') flow.resetRate(key)
    else if (action === 'unpin') {
      const isTrue = (name: string) => query.get(name) === 'true'
      flow.unpin(key, { parallelism: isTrue('parallelism'), rate: isTrue('rate') })
    } else if (action === 'pin') {
      const parallelism = readInteger(query, 'parallelism')
      const rate = readInteger(query, 'rate')
      const periodSeconds = readInteger(query, 'period')
      flow.pin(key, {
        ...(parallelism !== undefined && { parallelism }),
        ...(rate !== undefined && { rate }),
        ...(periodSeconds !== undefined && { periodSeconds }),
      })
    } else return false
    return true
  }

  const urlGroupsRoute: Route = ({ method, segments, body }) => {
    const [collection, first, action, ...rest] = segments
    if (collection !== 'topics' || rest.length > 0) return undefined
    if (first === undefined) {
      return method === 'GET' ? { status: 200, body: settings.urlGroups().map(presentUrlGroup) } : undefined
    }
    const name = checkName('url group name', first)
    if (action === 'endpoints') {
      const { endpoints } = readJson(endpointsSchema, body)
      if (method === 'POST') addEndpoints(name, endpoints)
      else if (method === 'DELETE') removeEndpoints(name, endpoints)
      else return undefined
      return OK
    }
    if (action !== undefined) return undefined
    const group = settings.urlGroup(name)
    if (!group) throw new ApiError(404, `url group ${name} not found`)
    if (method === 'GET') return { status: 200, body: presentUrlGroup(group) }
    if (method !== 'DELETE') return undefined
    settings.removeUrlGroup(name)
    return OK
  }

  const addEndpoints = (name: string, added: z.infer<typeof endpointSchema>[]): void => {
    const nowMs = clock.now()
    const group = settings.urlGroup(name)
    const byUrl = new Map(group?.endpoints.map((endpoint) => [endpoint.url, endpoint]))
    for (const { url, name: endpointName } of added) {
      if (url === undefined || !isHttpUrl(url)) throw new ApiError(400, `invalid endpoint url: ${url}`)
      byUrl.set(url, { url, name: endpointName })
    }
    const createdAtMs = group?.createdAtMs ?? nowMs
    settings.saveUrlGroup({ name, createdAtMs, updatedAtMs: nowMs, endpoints: [...byUrl.values()] })
  }

  const removeEndpoints = (name: string, removed: z.infer<typeof endpointSchema>[]): void => {
    const group = settings.urlGroup(name)
    if (!group) throw new ApiError(404, `url group ${name} not found`)
    const isRemoved = (endpoint: UrlGroupEndpoint) =>
      removed.some(
        ({ url, name: endpointName }) =>
          (url !== undefined && url === endpoint.url) ||
          (endpointName !== undefined && endpointName === endpoint.name),
      )
    const endpoints = group.endpoints.filter((endpoint) => !isRemoved(endpoint))
    if (endpoints.length === 0) settings.removeUrlGroup(name)
    else settings.saveUrlGroup({ ...group, endpoints, updatedAtMs: clock.now() })
  }

  const keysRoute: Route = ({ method, rawPath }) => {
    if (method === 'GET' && rawPath === 'keys') return { status: 200, body: options.signingKeys() }
    if (method === 'POST' && rawPath === 'keys/rotate') return { status: 200, body: options.rotateKeys() }
    return undefined
  }

  return [schedulesRoute, queuesRoute, flowControlRoute, urlGroupsRoute, keysRoute]
}
