import { z } from 'zod'
import { Account } from '../../../src/services/accounts/schemas.ts'
import { Post } from '../../../src/services/posts/schemas.ts'
import { importFile, makeKey, ndjson, type Person, signUp } from './people.ts'
import { sqlRow } from './stack.ts'

/** A workspace in which there is one of everything that a path can name. */
export interface Things {
  person: Person
  /** By what stands before the id in a path: `accounts` for `/accounts/{id}`. */
  ids: Record<string, string>
  /** The open invitation's, as its link has it. */
  invitationToken: string
}

const Made = z.object({ id: z.string() })
const MadeInvitation = Made.extend({ url: z.url() })

/** @param marker letters and digits; accounts, posts, hashtags and brands are named after it */
export async function makeThings(marker = 'identity', name = 'Ada'): Promise<Things> {
  const person = await signUp(name)
  const { key, session, workspaceId } = person
  const report = await importFile(key, { handle: marker, body: postsNamed(marker) })
  const [account] = await key.readAll(Account, '/api/v1/accounts')
  const [post] = await key.readAll(Post, '/api/v1/posts')
  if (!account || !post) throw new Error('The import made nothing')
  const brand = await key.make(Made, '/api/v1/brands', { name: `Brand ${marker}` })
  const invitations = `/api/v1/workspaces/${workspaceId}/invitations`
  const invitation = await session.make(MadeInvitation, invitations, { role: 'viewer' })
  const userId = await userIdOf(person)
  const ids = {
    accounts: account.id,
    authorizations: await beginAuthorization(workspaceId, userId, marker),
    posts: post.id,
    'api-keys': (await makeKey(session, ['read'])).id,
    workspaces: workspaceId,
    members: userId,
    invitations: invitation.id,
    brands: brand.id,
    imports: report.id,
    jobs: report.id,
    hashtags: marker,
    // The deployment's, not the workspace's, and in a sound one there is none.
    'dead-letters': crypto.randomUUID(),
  }
  return { person, ids, invitationToken: invitation.url.split(/[/=#?]/).at(-1) ?? '' }
}

/** As if somebody were on their way to a platform: this deployment need not have an app at any. */
async function beginAuthorization(workspaceId: string, userId: string, marker: string): Promise<string> {
  const { id } = await sqlRow<{ id: string }>(
    `INSERT INTO account_authorizations (id, workspace_id, platform, state_hash, session_user_id, created_by,
       status, key_id, sealed, expires_at)
     VALUES ($1, $2, 'tiktok', $3, $4, $5, 'pending', 'none', $6, now() + interval '1 day') RETURNING id`,
    [
      ...[crypto.randomUUID(), workspaceId, `state ${marker} ${crypto.randomUUID()}`, userId],
      ...[`user:${userId}`, `sealed ${marker}`],
    ],
  )
  return id
}

export function postsNamed(marker: string, likes = 0): string {
  return ndjson(
    [1, 2, 3].map((n) => ({
      post_id: `${marker}-${n}`,
      posted_at: '2026-11-01T10:00:00Z',
      text: `Number ${n} of #${marker}`,
      permalink: `https://example.com/${marker}/${n}`,
      likes: likes + n,
    })),
  )
}

export async function userIdOf({ email }: Person): Promise<string> {
  return (await sqlRow<{ id: string }>('SELECT id FROM auth_users WHERE email = $1', [email])).id
}

const PATH_PARAMETER = /([\w-]+)\/\{(\w+)\}/g

/** What stands before each id of an operation's path. */
export function collectionsOf({ path }: { path: string }): string[] {
  return Array.from(path.matchAll(PATH_PARAMETER), ([, collection = '']) => collection)
}

/** The path of an operation, with ids, or with what `idOf` makes of them. */
export function pathOf(
  { path }: { path: string },
  ids: Record<string, string>,
  idOf: (id: string, parameter: string) => string = encodeURIComponent,
): string {
  return path.replace(PATH_PARAMETER, (_, collection: string, parameter: string) => {
    const id = ids[collection]
    if (id === undefined)
      throw new Error(
        `There is no id for ${path}: make one of "${collection}" in makeThings (test/e2e/support/things.ts)`,
      )
    return `${collection}/${idOf(id, parameter)}`
  })
}
