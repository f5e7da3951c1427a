import { sql } from 'drizzle-orm'
import { type Statement, statement } from '../client.ts'

export interface IdempotencyScope {
  workspaceId: string
  caller: string
  path: string
  key: string
}

export interface FirstAnswer {
  bodyHash: string
  status: number | null
  headers: Record<string, string> | null
  body: string | null
}

/** A first request that has not ended after this is taken for dead, and may be repeated. */
const ABANDONED_AFTER = '2 minutes'

/** Claims a key: a row comes back for the one caller who is first (or takes over an abandoned attempt). */
export function claimKey(scope: IdempotencyScope, bodyHash: string): Statement<{ key: string }> {
  return statement(sql`
    INSERT INTO idempotency_keys (workspace_id, caller, path, key, body_hash)
    VALUES (${scope.workspaceId}, ${scope.caller}, ${scope.path}, ${scope.key}, ${bodyHash})
    ON CONFLICT (workspace_id, caller, path, key) DO UPDATE SET created_at = now(), body_hash = excluded.body_hash
      WHERE idempotency_keys.status IS NULL
        AND idempotency_keys.created_at < now() - ${ABANDONED_AFTER}::interval
    RETURNING key`)
}

export function selectAnswer(scope: IdempotencyScope): Statement<FirstAnswer> {
  return statement(sql`
    SELECT body_hash AS "bodyHash", status, headers, body FROM idempotency_keys
    WHERE workspace_id = ${scope.workspaceId} AND caller = ${scope.caller} AND path = ${scope.path}
      AND key = ${scope.key}`)
}

export function storeAnswer(
  scope: IdempotencyScope,
  answer: { status: number; headers: Record<string, string>; body: string },
): Statement<never> {
  return statement(sql`
    UPDATE idempotency_keys
    SET status = ${answer.status}, headers = ${JSON.stringify(answer.headers)}::jsonb, body = ${answer.body}
    WHERE workspace_id = ${scope.workspaceId} AND caller = ${scope.caller} AND path = ${scope.path}
      AND key = ${scope.key}`)
}

export function releaseKey(scope: IdempotencyScope): Statement<never> {
  return statement(sql`
    DELETE FROM idempotency_keys
    WHERE workspace_id = ${scope.workspaceId} AND caller = ${scope.caller} AND path = ${scope.path}
      AND key = ${scope.key} AND status IS NULL`)
}
