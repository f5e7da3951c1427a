import * as z from 'zod'
import { type ConnectorContext, PlatformError, type PlatformPost, type PostRef } from '../../ports.ts'
import { noticing } from './refused-values.ts'

/** Says of one entry of an answer that it cannot be used. */
export class MalformedEntry extends Error {}

/** Hears of what was not used. */
type Hears = Pick<ConnectorContext, 'noteMalformed'>

/** Runs what reads a part of an answer, without interruption, and notes what values it refused. */
export function readNoting<T>(
  ctx: Hears,
  part: unknown,
  read: () => T,
  knownMoments?: ReadonlyMap<string, number>,
): T {
  const { value, problems } = noticing(part, read, knownMoments)
  for (const problem of problems) ctx.noteMalformed?.({ problem: `A value was not used: ${problem}.`, part })
  return value
}

/** An entry that could not be read, and why. */
interface Malformed {
  entry: unknown
  problem: unknown
}

function noteEntry(ctx: Hears, { entry, problem }: Malformed): void {
  ctx.noteMalformed?.({ problem: `An entry could not be understood: ${describe(problem)}.`, part: entry })
}

/** @throws PlatformError `bad_answer` where none of the entries could be read */
function readAll<T>(
  ctx: Hears,
  entries: readonly unknown[],
  who: string,
  read: (entry: unknown) => T | null,
  knownMoments?: ReadonlyMap<string, number>,
): { values: T[]; malformed: Malformed[] } {
  const values: T[] = []
  const malformed: Malformed[] = []
  for (const entry of entries) {
    try {
      const value = readNoting(ctx, entry, () => read(entry), knownMoments)
      if (value !== null) values.push(value)
    } catch (problem) {
      if (!isMalformed(problem)) throw problem
      malformed.push({ entry, problem })
    }
  }
  const [first] = malformed
  if (first !== undefined && malformed.length === entries.length)
    throw new PlatformError(
      'bad_answer',
      `None of the ${malformed.length} entries of the answer of ${who} could be understood: ${describe(first.problem)}.`,
      { cause: first.problem },
    )
  for (const one of malformed) noteEntry(ctx, one)
  return { values, malformed }
}

function isMalformed(problem: unknown): boolean {
  return problem instanceof MalformedEntry || problem instanceof z.ZodError
}

/**
 * Reads the entries of a list one by one. One that is malformed (`read` throws `MalformedEntry` or a zod
 * error) is left out and noted, as one broken post must not hide all others; when all are malformed, the list
 * is not what we think it is, and a `bad_answer` says of the first what is wrong. `read` returns `null` for an
 * entry that is well formed and not wanted.
 */
export function readEntries<T>(
  ctx: Hears,
  entries: readonly unknown[],
  who: string,
  read: (entry: unknown) => T | null,
): T[] {
  return readAll(ctx, entries, who, read).values
}

/** Posts that are known and asked for again: when each was written, in milliseconds since 1970, by its id. */
export type KnownPosts = ReadonlyMap<string, number>

/** Known posts by their ids. */
export function momentsOf(posts: readonly PostRef[]): KnownPosts {
  return new Map(posts.map(({ id, postedAtMs }) => [id, postedAtMs]))
}

/**
 * Reads the entries of posts that were asked for, as `readEntries` does, without any other. Those whose entries
 * are malformed are left open; where it cannot be told whose entry that was, all are that are not found.
 */
export function readKnownPosts(
  ctx: Hears & Pick<ConnectorContext, 'leaveOpen'>,
  entries: readonly unknown[],
  who: string,
  known: KnownPosts,
  read: (entry: unknown) => PlatformPost | null,
): PlatformPost[] {
  const { values, malformed } = readAll(ctx, entries, who, read, known)
  const posts = values.filter((post) => known.has(post.platformPostId))
  const found = new Set(posts.map((post) => post.platformPostId))
  const unnamed = malformed.some(({ entry }) => idsOf(entry).every((id) => !known.has(id)))
  const open = unnamed ? [...known.keys()] : malformed.flatMap(({ entry }) => idsOf(entry))
  for (const id of new Set(open)) if (known.has(id) && !found.has(id)) ctx.leaveOpen(id)
  return posts
}

/**
 * Reads the answer to a question for one post; `null` when it is malformed, and then the post is left open.
 * @param postedAtMs when it was written, in milliseconds since 1970
 */
export function readKnownPost(
  ctx: Hears & Pick<ConnectorContext, 'leaveOpen'>,
  entry: unknown,
  { id, postedAtMs }: PostRef,
  read: (entry: unknown) => PlatformPost,
): PlatformPost | null {
  try {
    return readNoting(ctx, entry, () => read(entry), new Map([[id, postedAtMs]]))
  } catch (problem) {
    if (!isMalformed(problem)) throw problem
    noteEntry(ctx, { entry, problem })
    ctx.leaveOpen(id)
    return null
  }
}

const Named = z.object({ id: z.unknown(), uri: z.unknown(), name: z.unknown() }).partial()
const Wrapped = z.object({ data: Named })

/** What may be the id of a malformed entry: platforms call it one of these, and Reddit wraps it. */
function idsOf(entry: unknown): string[] {
  const { id, uri, name } = Wrapped.safeParse(entry).data?.data ?? Named.safeParse(entry).data ?? {}
  return [id, uri, name].filter((value) => typeof value === 'string')
}

function describe(problem: unknown): string {
  if (problem instanceof z.ZodError) {
    const [issue] = problem.issues
    return `${issue?.path.join('.') || 'the entry'}: ${issue?.message ?? 'invalid'}`
  }
  return problem instanceof Error ? problem.message : String(problem)
}
