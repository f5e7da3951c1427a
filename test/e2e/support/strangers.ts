import { expect } from 'vitest'
import type { Answer, Client } from './client.ts'
import type { DescribedOperation } from './described-operations.ts'
import { importFile } from './people.ts'
import { sql } from './stack.ts'
import { secretsOf } from './tenant-rows.ts'
import { collectionsOf, makeThings, pathOf, postsNamed, type Things } from './things.ts'

/** A workspace, and what no other one may be told of it. */
export interface Stranger extends Things {
  secrets: string[]
}

/** Sent by both with their own requests; each has its own first answer. */
export const REPEATED_KEY = 'said-by-both'

/** Two workspaces that have nothing to do with each other. All that each has says whose it is. */
export async function makeStrangers(): Promise<[mine: Stranger, theirs: Stranger]> {
  const [mine, theirs] = await Promise.all([makeMarked('mymarker'), makeMarked('theirmarker')])
  const [myId, theirId] = [mine.person.workspaceId, theirs.person.workspaceId]
  return [
    { ...mine, secrets: await secretsOf(myId, theirId) },
    { ...theirs, secrets: await secretsOf(theirId, myId) },
  ]
}

/** Things whose every text, and every figure of theirs, can be told from others'. */
async function makeMarked(marker: 'mymarker' | 'theirmarker'): Promise<Things> {
  const things = await makeThings(marker, `Person ${marker}`)
  const { person, ids } = things
  const { key, session, workspaceId } = person
  const replayed = { 'idempotency-key': REPEATED_KEY }
  for (const answer of [
    await key.patch(`/api/v1/workspaces/${workspaceId}`, { name: `Workspace ${marker}` }),
    await session.post('/api/v1/api-keys', { name: `Key ${marker}`, scopes: ['read'] }),
    await key.patch(`/api/v1/accounts/${ids.accounts}`, { brandId: ids.brands }),
    await key.post(`/api/v1/accounts/${ids.accounts}/restore`, undefined, replayed),
  ])
    if (answer.status >= 300) throw new Error(`${answer.status} ${answer.text}`)
  // A second reading of the same posts, posts of a second account, and a line that is wrong.
  const millions = marker === 'mymarker' ? 330_000_000 : 770_000_000
  const wrong = `{"post_id":"wrong_${marker}","posted_at":"when_${marker}"}\n`
  await importFile(key, { handle: marker, body: postsNamed(marker, millions) })
  await importFile(key, { handle: `other_${marker}`, body: postsNamed(`second${marker}`, millions) + wrong })
  await sql(
    `UPDATE accounts SET display_name = 'Display ' || $2, url = 'https://example.com/' || $2,
       avatar_url = 'https://example.com/' || $2 || '.png', status_reason = 'Reason ' || $2
     WHERE workspace_id = $1`,
    [workspaceId, marker],
  )
  return things
}

/** Expects that an answer says nothing of a workspace but what its question has said. */
export function expectNothingOf({ secrets }: Stranger, answer: Answer, said: unknown): void {
  const told = `${[...answer.headers].flat().join('\n')}\n${answer.text}`
  const asked = decodeURIComponent(typeof said === 'string' ? said : JSON.stringify(said ?? ''))
  const leaks = secrets.filter((secret) => told.includes(secret) && !asked.includes(secret))
  expect(leaks).toEqual([])
}

/** Named by a path, and no workspace's own. */
const NOBODYS: readonly string[] = ['hashtags']

/** What an operation's path names that belongs to a workspace. */
export function ownedCollections(operation: DescribedOperation): string[] {
  return [...new Set(collectionsOf(operation).filter((collection) => !NOBODYS.includes(collection)))]
}

/** Every way to put ids of theirs into an operation's path, in place of one's own. */
export function foreignIds(
  operation: DescribedOperation,
  mine: Things,
  theirs: Things,
): Record<string, string>[] {
  const owned = ownedCollections(operation)
  const choices = Array.from({ length: 2 ** owned.length - 1 }, (_, bits) => bits + 1)
  return choices.map((choice) => {
    const foreign = owned.filter((_, bit) => ((choice >> bit) & 1) === 1)
    return { ...mine.ids, ...Object.fromEntries(foreign.map((one) => [one, theirs.ids[one] ?? ''])) }
  })
}

/** What of theirs a parameter of a query can name; any other text may be searched for. */
export async function foreignValueOf(
  name: string,
  operation: DescribedOperation,
  theirs: Stranger,
): Promise<string> {
  const { ids, person } = theirs
  switch (name) {
    case 'accounts':
    case 'brands':
    case 'hashtags':
      return ids[name] ?? ''
    case 'actors':
      return ids.members ?? ''
    case 'cursor':
      return (await firstCursor(person.key, pathOf(operation, ids))) ?? ''
    case 'minGeneration':
      return '999999999'
    default:
      return 'theirmarker'
  }
}

/** The cursor that comes after the first item of a list; `null` where there is none. */
export async function firstCursor(by: Client, path: string): Promise<string | null> {
  const { status, text } = await by.get(`${path}?limit=1`)
  if (status !== 200) return null
  const { nextCursor }: { nextCursor?: string | null } = Object(JSON.parse(text))
  return nextCursor ?? null
}
