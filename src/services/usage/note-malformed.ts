import { recordMalformed } from '../../db/queries/usage.ts'
import type { Platform } from '../../domain/platforms.ts'
import { sha256Hex } from '../../lib/hash.ts'
import { type ConnectorContext, PlatformError } from '../../ports.ts'
import type { ServiceDeps } from '../context.ts'
import { shapeOfAnswer } from './answer-shape.ts'
import { lastAnswerOf } from './last-answer.ts'
import type { MalformedNote } from './usage-ledger.ts'

type NoteDeps = Pick<ServiceDeps, 'db' | 'log' | 'clock'>

/**
 * Notes an answer that could not be understood, by its shape alone, for operators and for whoever mends the
 * connector. Never fails, and is for a `bad_answer` only.
 */
export async function noteMalformed(
  deps: NoteDeps,
  platform: Platform,
  context: ConnectorContext,
  error: unknown,
): Promise<void> {
  if (!(error instanceof PlatformError) || error.kind !== 'bad_answer') return
  const answer = lastAnswerOf(context)
  if (answer === null) return
  const { host, operation, body } = answer
  const shape = shapeOfAnswer(operation, body)
  await write(deps, { platform, host, operation, problem: error.message, shape }, [
    platform,
    operation,
    shape,
  ])
}

/** The same of parts of answers, the rest of which was used. */
export async function writeNotes(deps: NoteDeps, notes: readonly MalformedNote[]): Promise<void> {
  for (const note of notes) await write(deps, note, [note.platform, note.operation, 'part', note.problem])
}

/** @param kind what tells this trouble from others */
async function write(deps: NoteDeps, note: MalformedNote, kind: readonly unknown[]): Promise<void> {
  const { platform, operation } = note
  try {
    const fingerprint = await sha256Hex(JSON.stringify(kind))
    const atIso = new Date(deps.clock.now()).toISOString()
    await deps.db.outside(recordMalformed({ ...note, fingerprint, atIso }))
  } catch (failure) {
    deps.log.warn('malformed answer not noted', { platform, operation, error: failure })
  }
}
