import {
  claimKey,
  type IdempotencyScope,
  releaseKey,
  selectAnswer,
  storeAnswer,
} from '../../db/queries/idempotency.ts'
import { AppError } from '../../errors.ts'
import type { ServiceContext } from '../context.ts'

export interface StoredAnswer {
  status: number
  headers: Record<string, string>
  body: string
}

/** How a request with an idempotency key goes on: it is the first, or its first answer is there. */
export type Claim = { first: true } | { first: false; answer: StoredAnswer }

/**
 * @throws idempotency_mismatch for another body under the same key; idempotency_in_progress while the first
 * request is still running
 */
export async function claimIdempotencyKey(
  ctx: ServiceContext,
  scope: IdempotencyScope,
  bodyHash: string,
): Promise<Claim> {
  const [claimed, [known]] = await ctx.db.inWorkspace(scope.workspaceId, [
    claimKey(scope, bodyHash),
    selectAnswer(scope),
  ])
  if (claimed.length > 0) return { first: true }
  if (known === undefined)
    throw new AppError('idempotency_in_progress', 'The first request has just ended; repeat this one.')
  if (known.bodyHash !== bodyHash)
    throw new AppError('idempotency_mismatch', 'This Idempotency-Key was used with another body.')
  if (known.status === null)
    throw new AppError(
      'idempotency_in_progress',
      'The first request with this Idempotency-Key is still running.',
      {
        retryAfterMs: 1_000,
      },
    )
  return {
    first: false,
    answer: { status: known.status, headers: known.headers ?? {}, body: known.body ?? '' },
  }
}

/** Keeps the first answer for a day; failures that may pass are not kept, so that a repeat can succeed. */
export async function settleIdempotencyKey(
  ctx: ServiceContext,
  scope: IdempotencyScope,
  answer: StoredAnswer,
): Promise<void> {
  const kept = answer.status < 500 && answer.status !== 429
  await ctx.db.inWorkspace(scope.workspaceId, [kept ? storeAnswer(scope, answer) : releaseKey(scope)])
}
