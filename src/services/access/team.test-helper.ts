import { keyWith, member } from '../../../test/harness/actors.ts'
import type { TestDatabase } from '../../../test/harness/database.ts'
import { AppError } from '../../errors.ts'
import { newId } from '../../lib/ids.ts'
import type { Actor, Role, Scope, ServiceContext } from '../context.ts'
import { makeRig } from '../imports/rig.test-helper.ts'

export type Person = Extract<Actor, { kind: 'user' }>
export type Key = Extract<Actor, { kind: 'apiKey' }>

export interface AuditRow {
  action: string
  actor_kind: string
  actor_id: string | null
  actor_name: string | null
  target_kind: string | null
  target_id: string | null
  target_name: string | null
  details: Record<string, unknown>
  ip: string | null
  user_agent: string | null
  request_id: string | null
}

/** Where the requests of a team come from. */
export const ORIGIN = { ip: '203.0.113.7', userAgent: 'Test/1.0' }

/** A workspace with people in it, and what services were told to forget and to close. */
export class Team {
  readonly #database: TestDatabase
  readonly ctx: ServiceContext
  /** What the clock shows; tests move it. */
  readonly time: { nowMs: number }
  /** Whose live connections were closed. */
  readonly closed: string[] = []
  readonly forgotten = { users: [] as string[], keys: [] as string[] }
  readonly directory = {
    forgetUser: async (userId: string) => void this.forgotten.users.push(userId),
    forgetKey: async (hash: string) => void this.forgotten.keys.push(hash),
  }

  private constructor(database: TestDatabase, rig: Awaited<ReturnType<typeof makeRig>>) {
    this.#database = database
    this.time = rig.time
    const { hub } = rig.ctx
    this.ctx = {
      ...rig.ctx,
      actor: { kind: 'system' },
      origin: ORIGIN,
      requestId: 'request-1',
      hub: {
        ...hub,
        revoke: async (_workspaceId, name) => {
          this.closed.push(name)
          return 0
        },
      },
    }
  }

  static async make(database: TestDatabase): Promise<Team> {
    // Entries carry the time at which their transaction began, which may have waited for another's.
    await database.sql(
      'ALTER TABLE audit_log ADD COLUMN IF NOT EXISTS nth bigint GENERATED ALWAYS AS IDENTITY',
    )
    return new Team(database, await makeRig(database))
  }

  get workspaceId(): string {
    return this.ctx.workspace.id
  }

  as(actor: Actor): ServiceContext {
    return { ...this.ctx, actor }
  }

  /** Somebody who can sign in, and is no member here. */
  async person(name = 'Ada'): Promise<Person> {
    const userId = crypto.randomUUID()
    const email = `${userId.slice(0, 8)}@example.com`
    await this.#database.sql('INSERT INTO auth_users (id, name, email) VALUES ($1, $2, $3)', [
      userId,
      name,
      email,
    ])
    return member('viewer', { userId, email })
  }

  /** A member; `brands`: those whose accounts alone they see. */
  async member(role: Role, brands: readonly string[] | null = null, name = 'Ada'): Promise<Person> {
    const person = await this.person(name)
    await this.#database.sql('INSERT INTO workspace_members VALUES ($1, $2, $3, now(), $4)', [
      this.workspaceId,
      person.userId,
      role,
      brands === null,
    ])
    for (const id of brands ?? [])
      await this.#database.sql('INSERT INTO member_brands VALUES ($1, $2, $3)', [
        this.workspaceId,
        person.userId,
        id,
      ])
    return { ...person, role, brands }
  }

  /** A key that somebody has made. */
  async key(by: Person | null, ...scopes: Scope[]): Promise<Key> {
    const key = keyWith(...scopes)
    await this.#database.sql(
      `INSERT INTO api_keys (id, workspace_id, name, prefix, hash, scopes, created_by)
       VALUES ($1, $2, 'A key', 'tm_', $3, $4, $5)`,
      [key.keyId, this.workspaceId, `hash of ${key.keyId}`, scopes, by?.userId ?? null],
    )
    return key
  }

  async brand(name = `Brand ${newId().slice(-12)}`): Promise<string> {
    const id = newId()
    await this.#database.sql('INSERT INTO brands (id, workspace_id, name) VALUES ($1, $2, $3)', [
      id,
      this.workspaceId,
      name,
    ])
    return id
  }

  /** Roles as they are stored, by person. */
  async roles(): Promise<Map<string, Role>> {
    const rows = await this.#database.sql<{ user_id: string; role: Role }>(
      'SELECT user_id, role FROM workspace_members WHERE workspace_id = $1',
      [this.workspaceId],
    )
    return new Map(rows.map(({ user_id, role }) => [user_id, role]))
  }

  async roleOf({ userId }: Person): Promise<Role | null> {
    return (await this.roles()).get(userId) ?? null
  }

  /** Keys that were not revoked. */
  async liveKeys(): Promise<string[]> {
    const rows = await this.#database.sql<{ id: string }>(
      'SELECT id FROM api_keys WHERE workspace_id = $1 AND revoked_at IS NULL ORDER BY id',
      [this.workspaceId],
    )
    return rows.map(({ id }) => id)
  }

  /** What was written down, in the order in which it was. */
  log(): Promise<AuditRow[]> {
    return this.#database.sql<AuditRow>(
      `SELECT action, actor_kind, actor_id, actor_name, target_kind, target_id, target_name, details, ip,
         user_agent, request_id
       FROM audit_log WHERE workspace_id = $1 ORDER BY nth`,
      [this.workspaceId],
    )
  }
}

/** What an entry says of who did it, and from where. */
export function doneBy(actor: Person | Key) {
  return {
    actor_kind: actor.kind,
    actor_id: actor.kind === 'user' ? actor.userId : actor.keyId,
    actor_name: actor.kind === 'user' ? actor.email : actor.name,
    ip: ORIGIN.ip,
    user_agent: ORIGIN.userAgent,
    request_id: 'request-1',
  }
}

/** The code of the problem that a call ends with; `none` where it does not. */
export const codeOf = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => 'none',
    (error: unknown) => {
      if (error instanceof AppError) return error.code
      throw error
    },
  )

/** The fields that a call's refusal names. */
export const pointersOf = (call: Promise<unknown>): Promise<string[]> =>
  call.then(
    () => [],
    (error: unknown) => {
      if (error instanceof AppError) return error.fields.map(({ pointer }) => pointer)
      throw error
    },
  )
