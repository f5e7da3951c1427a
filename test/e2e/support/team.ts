import { Client } from './client.ts'
import { bearer, cookiesOf, freshIp, makeKey, type Person, signUp } from './people.ts'
import { sql, stack } from './stack.ts'
import { userIdOf } from './things.ts'
import { until } from './wait.ts'

export type Role = 'owner' | 'admin' | 'analyst' | 'viewer'
export type Scope = 'read' | 'write' | 'admin' | 'operator'

/** Somebody who asks, and what they have been given. */
export interface Caller {
  who: string
  client: Client
  role: Role | null
  scope: Scope | null
  /** Which one they speak of. */
  workspaceId: string
}

/** Everybody who may ask something of a workspace, each with one right alone. */
export async function teamOf(person: Person): Promise<Caller[]> {
  const { workspaceId, session } = person
  const members = (['admin', 'analyst', 'viewer'] as const).map(async (role): Promise<Caller> => {
    return { who: `the ${role}`, client: await join(workspaceId, role), role, scope: null, workspaceId }
  })
  const keys = (['read', 'write', 'admin'] as const).map(async (scope): Promise<Caller> => {
    const { key } = await makeKey(session, [scope])
    return { who: `a key with "${scope}"`, client: bearer(key), role: null, scope, workspaceId }
  })
  return [
    { who: 'the owner', client: session, role: 'owner', scope: null, workspaceId },
    ...(await Promise.all([...members, ...keys])),
    {
      who: 'a key with "operator"',
      client: bearer((await makeKey(await operatorSession(), ['operator'])).key),
      role: null,
      scope: 'operator',
      workspaceId: stack.workspaceId,
    },
  ]
}

/** Somebody new, who is made a member of a workspace, and speaks of that one. */
async function join(workspaceId: string, role: Role): Promise<Client> {
  const person = await signUp('Grace')
  await sql('INSERT INTO workspace_members (workspace_id, user_id, role) VALUES ($1, $2, $3)', [
    workspaceId,
    await userIdOf(person),
    role,
  ])
  // Whoever renames their workspace is looked up anew: SQL tells nobody of what it changes.
  await person.session.patch(`/api/v1/workspaces/${person.workspaceId}`, { name: 'Their own' })
  const member = person.session.with({ 'x-workspace-id': workspaceId })
  // Memberships are believed for a few seconds.
  await until(`the ${role} is known`, async () => (await member.get('/api/v1/me')).status === 200 || null)
  return member
}

/** The deployment's operator, signed in. */
export async function operatorSession(): Promise<Client> {
  const ip = { 'cf-connecting-ip': freshIp() }
  const { email, password } = stack
  const answer = await new Client(ip).post('/auth/sign-in/email', { email, password })
  if (answer.status !== 200) throw new Error(`sign-in: ${answer.status} ${answer.text}`)
  return new Client({ ...ip, cookie: cookiesOf(answer.headers) })
}
