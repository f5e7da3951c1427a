import { recordMalformed } from '../../db/queries/usage.ts'
import type { Platform } from '../../domain/platforms.ts'
import { sha256Hex } from '../../lib/hash.ts'
import { type ConnectorContext, PlatformError } from '../../ports.ts'
import { lastAnswerOf } from '../accounts/connector-context.ts'
import type { ServiceDeps } from '../context.ts'
import { shapeOf } from './answer-shape.ts'

/**
 * Notes an answer that could not be understood, by its shape alone, for operators and for whoever mends the
 * connector. Never fails, and is for a `bad_answer` only.
 */
export async function noteMalformed(
  deps: Pick<ServiceDeps, 'db' | 'log' | 'clock'>,
  platform: Platform,
  context: ConnectorContext,
  error: unknown,
): Promise<void> {
  if (!(error instanceof PlatformError) || error.kind !== 'bad_answer') return
  const answer = lastAnswerOf(context)
  if (answer === null) return
  const { host, operation, body } = answer
  try {
    const shape = shapeOf(body)
    const fingerprint = await sha256Hex(JSON.stringify([platform, operation, shape]))
    const atIso = new Date(deps.clock.now()).toISOString()
    const problem = error.message
    await deps.db.outside(recordMalformed({ fingerprint, platform, host, operation, problem, shape, atIso }))
  } catch (failure) {
    deps.log.warn('malformed answer not noted', { platform, operation, error: failure })
  }
}
