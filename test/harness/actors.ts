import { newId } from '../../src/lib/ids.ts'
import type { Actor, Role, Scope } from '../../src/services/context.ts'

type User = Extract<Actor, { kind: 'user' }>
type Key = Extract<Actor, { kind: 'apiKey' }>

/** A member of the workspace; not limited to brands, no operator. */
export function member(role: Role, given: Partial<User> = {}): User {
  return {
    kind: 'user',
    userId: 'ada',
    email: 'ada@example.com',
    role,
    brands: null,
    operator: false,
    ...given,
  }
}

/** A key of the workspace with these scopes. */
export function keyWith(...scopes: Scope[]): Key {
  return { kind: 'apiKey', keyId: newId(), name: 'A key', scopes }
}

/** Where a test's requests come from. */
export const NOWHERE = { ip: null, userAgent: null }
