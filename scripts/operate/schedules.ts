import { Client, type Schedule } from '@upstash/qstash'
import { compareSchedules, SCHEDULES, scheduleDestination } from '../../src/domain/schedules.ts'

/** The schedules carry no input, but the signature covers a body, so there is one. */
const BODY = '{}'

export interface QStashAccess {
  qstashUrl: string
  token: string
}

export interface RegisterOptions extends QStashAccess {
  /** The origin that takes callbacks. */
  callbacksUrl: string
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
    compareSchedules(await client.schedules.list(), options.callbacksUrl).map(({ id, state }) => [id, state]),
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
      destination: scheduleDestination(options.callbacksUrl, definition),
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
