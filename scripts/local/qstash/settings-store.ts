import { blobOf, type Database, jsonOf, numberOf, type Row, type Statement, textOf } from './database.ts'
import type {
  FlowKeyState,
  ScheduledState,
  ScheduleSpec,
  StoredQueue,
  StoredSchedule,
  UrlGroup,
  UrlGroupEndpoint,
} from './types.ts'

export interface SigningKeys {
  current: string
  next: string
}

/** What is configured through the API: schedules, queues, URL groups, flow-control keys, signing keys. */
export class SettingsStore {
  private readonly upsertSchedule: Statement
  private readonly selectSchedule: Statement
  private readonly selectSchedules: Statement
  private readonly deleteSchedule: Statement
  private readonly upsertQueue: Statement
  private readonly selectQueue: Statement
  private readonly selectQueues: Statement
  private readonly deleteQueue: Statement
  private readonly upsertUrlGroup: Statement
  private readonly selectUrlGroup: Statement
  private readonly selectUrlGroups: Statement
  private readonly deleteUrlGroup: Statement
  private readonly upsertFlowKey: Statement
  private readonly selectFlowKeys: Statement
  private readonly upsertMeta: Statement
  private readonly selectMeta: Statement

  constructor(database: Database) {
    const prepare = (sql: string) => database.prepare(sql)
    this.upsertSchedule = prepare(
      `INSERT OR REPLACE INTO schedules
         (schedule_id, spec, body, is_paused, last_at_ms, next_at_ms, last_states)
       VALUES (?, ?, ?, ?, ?, ?, ?)`,
    )
    this.selectSchedule = prepare('SELECT * FROM schedules WHERE schedule_id = ?')
    this.selectSchedules = prepare('SELECT * FROM schedules ORDER BY schedule_id')
    this.deleteSchedule = prepare('DELETE FROM schedules WHERE schedule_id = ?')
    this.upsertQueue = prepare(
      `INSERT OR REPLACE INTO queues (name, parallelism, paused, created_at_ms, updated_at_ms)
       VALUES (?, ?, ?, ?, ?)`,
    )
    this.selectQueue = prepare('SELECT * FROM queues WHERE name = ?')
    this.selectQueues = prepare('SELECT * FROM queues ORDER BY name')
    this.deleteQueue = prepare('DELETE FROM queues WHERE name = ?')
    this.upsertUrlGroup = prepare(
      'INSERT OR REPLACE INTO url_groups (name, created_at_ms, updated_at_ms, endpoints) VALUES (?, ?, ?, ?)',
    )
    this.selectUrlGroup = prepare('SELECT * FROM url_groups WHERE name = ?')
    this.selectUrlGroups = prepare('SELECT * FROM url_groups ORDER BY name')
    this.deleteUrlGroup = prepare('DELETE FROM url_groups WHERE name = ?')
    this.upsertFlowKey = prepare('INSERT OR REPLACE INTO flow_keys (key, state) VALUES (?, ?)')
    this.selectFlowKeys = prepare('SELECT * FROM flow_keys ORDER BY key')
    this.upsertMeta = prepare('INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)')
    this.selectMeta = prepare('SELECT * FROM meta WHERE name = ?')
  }

  saveSchedule(schedule: StoredSchedule): void {
    this.upsertSchedule.run(
      schedule.spec.scheduleId,
      JSON.stringify(schedule.spec),
      schedule.body,
      schedule.isPaused ? 1 : 0,
      schedule.lastAtMs,
      schedule.nextAtMs,
      JSON.stringify(schedule.lastStates),
    )
  }

  schedule(scheduleId: string): StoredSchedule | undefined {
    const row = this.selectSchedule.get(scheduleId)
    return row && scheduleOf(row)
  }

  schedules(): StoredSchedule[] {
    return this.selectSchedules.all().map(scheduleOf)
  }

  removeSchedule(scheduleId: string): boolean {
    return this.deleteSchedule.run(scheduleId).changes > 0
  }

  saveQueue(queue: StoredQueue): void {
    const { name, parallelism, paused, createdAtMs, updatedAtMs } = queue
    this.upsertQueue.run(name, parallelism, paused ? 1 : 0, createdAtMs, updatedAtMs)
  }

  queue(name: string): StoredQueue | undefined {
    const row = this.selectQueue.get(name)
    return row && queueOf(row)
  }

  queues(): StoredQueue[] {
    return this.selectQueues.all().map(queueOf)
  }

  removeQueue(name: string): boolean {
    return this.deleteQueue.run(name).changes > 0
  }

  saveUrlGroup(group: UrlGroup): void {
    this.upsertUrlGroup.run(group.name, group.createdAtMs, group.updatedAtMs, JSON.stringify(group.endpoints))
  }

  urlGroup(name: string): UrlGroup | undefined {
    const row = this.selectUrlGroup.get(name)
    return row && urlGroupOf(row)
  }

  urlGroups(): UrlGroup[] {
    return this.selectUrlGroups.all().map(urlGroupOf)
  }

  removeUrlGroup(name: string): boolean {
    return this.deleteUrlGroup.run(name).changes > 0
  }

  saveFlowKey(key: string, state: FlowKeyState): void {
    this.upsertFlowKey.run(key, JSON.stringify(state))
  }

  flowKeys(): { key: string; state: FlowKeyState }[] {
    return this.selectFlowKeys
      .all()
      .map((row) => ({ key: textOf(row, 'key'), state: jsonOf<FlowKeyState>(row, 'state') }))
  }

  /** The keys that rotation has led to, as long as the configured ones are those it began from. */
  signingKeys(configured: SigningKeys): SigningKeys {
    const row = this.selectMeta.get('signing_keys')
    if (!row) return configured
    const stored = jsonOf<{ configured: SigningKeys; rotated: SigningKeys }>(row, 'value')
    const same =
      stored.configured.current === configured.current && stored.configured.next === configured.next
    return same ? stored.rotated : configured
  }

  saveSigningKeys(configured: SigningKeys, rotated: SigningKeys): void {
    this.upsertMeta.run('signing_keys', JSON.stringify({ configured, rotated }))
  }
}

function scheduleOf(row: Row): StoredSchedule {
  return {
    spec: jsonOf<ScheduleSpec>(row, 'spec'),
    body: blobOf(row, 'body'),
    isPaused: numberOf(row, 'is_paused') === 1,
    lastAtMs: row.last_at_ms === null ? null : numberOf(row, 'last_at_ms'),
    nextAtMs: numberOf(row, 'next_at_ms'),
    lastStates: jsonOf<Record<string, ScheduledState>>(row, 'last_states'),
  }
}

function queueOf(row: Row): StoredQueue {
  return {
    name: textOf(row, 'name'),
    parallelism: numberOf(row, 'parallelism'),
    paused: numberOf(row, 'paused') === 1,
    createdAtMs: numberOf(row, 'created_at_ms'),
    updatedAtMs: numberOf(row, 'updated_at_ms'),
  }
}

function urlGroupOf(row: Row): UrlGroup {
  return {
    name: textOf(row, 'name'),
    createdAtMs: numberOf(row, 'created_at_ms'),
    updatedAtMs: numberOf(row, 'updated_at_ms'),
    endpoints: jsonOf<UrlGroupEndpoint[]>(row, 'endpoints'),
  }
}
