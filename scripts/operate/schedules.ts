import { Client, type Schedule } from '@upstash/qstash'

/** What QStash calls, and when: the Worker has no timer of its own. */
export interface ScheduleDefinition {
  id: string
  /** Five fields, in UTC. */
  cron: string
  /** Below `{PUBLIC_URL}`. */
  path: `/callbacks/${string}`
  retries: number
}

/** A call that fails every minute anyway comes again sooner than its retry would. */
export const SCHEDULES: readonly ScheduleDefinition[] = [
  { id: 'tidemark-sync-plan', cron: '* * * * *', path: '/callbacks/sync/plan', retries: 0 },
  { id: 'tidemark-trending', cron: '*/5 * * * *', path: '/callbacks/trending/plan', retries: 0 },
  { id: 'tidemark-outbox', cron: '* * * * *', path: '/callbacks/outbox/sweep', retries: 0 },
  { id: 'tidemark-upkeep', cron: '17 3 * * *', path: '/callbacks/upkeep/daily', retries: 3 },
]

/** The schedules carry no input, but the signature covers a body, so there is one. */
const BODY = '{}'

export interface QStashAccess {
  qstashUrl: string
  token: string
}

export interface RegisterOptions extends QStashAccess {
  /** The origin under which the Worker answers. */
  publicUrl: string
}

export type ScheduleState = 'missing' | 'elsewhere' | 'different' | 'paused' | 'ok'

export interface ScheduleReport {
  id: string
  state: ScheduleState
  /** Where QStash sends it now; `null` where it is missing. */
  destination: string | null
}

/** What registering did to each schedule. */
export interface RegisterResult {
  created: string[]
  updated: string[]
  unchanged: string[]
}

/** The vendor's client, on exactly this server: no development mode, no telemetry. */
function clientFor({ qstashUrl, token }: QStashAccess): Client {
  return new Client({ baseUrl: qstashUrl, token, retry: false, devMode: false, enableTelemetry: false })
}

/** The full address that a schedule calls. */
export function scheduleDestination(publicUrl: string, { path }: ScheduleDefinition): string {
  return new URL(path, publicUrl).href
}

/** How the schedules that QStash has compare with those that should be there. Pure. */
export function compareSchedules(existing: readonly Schedule[], publicUrl: string): ScheduleReport[] {
  const byId = new Map(existing.map((schedule) => [schedule.scheduleId, schedule]))
  return SCHEDULES.map((definition) => {
    const found = byId.get(definition.id)
    if (!found) return { id: definition.id, state: 'missing', destination: null }
    return { id: definition.id, state: stateOf(found, definition, publicUrl), destination: found.destination }
  })
}

function stateOf(found: Schedule, definition: ScheduleDefinition, publicUrl: string): ScheduleState {
  if (found.destination !== scheduleDestination(publicUrl, definition)) return 'elsewhere'
  // A server may leave out what has its usual value.
  const same =
    found.cron === definition.cron &&
    (found.method ?? 'POST') === 'POST' &&
    (found.retries ?? 0) === definition.retries
  if (!same) return 'different'
  return found.isPaused ? 'paused' : 'ok'
}

/**
 * The schedules of a QStash account, ours and others.
 * @throws when QStash cannot be reached or refuses the token.
 */
export function listSchedules(access: QStashAccess): Promise<Schedule[]> {
  return clientFor(access).schedules.list()
}

/**
 * Makes QStash call the Worker on time. Repeating it changes nothing; a schedule that somebody paused
 * stays paused; one that calls another address is moved here.
 * @throws when QStash cannot be reached or refuses the token.
 */
export async function registerSchedules(options: RegisterOptions): Promise<RegisterResult> {
  const client = clientFor(options)
  const states = new Map(
    compareSchedules(await client.schedules.list(), options.publicUrl).map(({ id, state }) => [id, state]),
  )
  const result: RegisterResult = { created: [], updated: [], unchanged: [] }
  for (const definition of SCHEDULES) {
    const state = states.get(definition.id)
    if (state === 'ok' || state === 'paused') {
      result.unchanged.push(definition.id)
      continue
    }
    await client.schedules.create({
      scheduleId: definition.id,
      destination: scheduleDestination(options.publicUrl, definition),
      cron: definition.cron,
      method: 'POST',
      body: BODY,
      retries: definition.retries,
    })
    if (state === 'missing') result.created.push(definition.id)
    else result.updated.push(definition.id)
  }
  return result
}
