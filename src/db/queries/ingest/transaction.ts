import { sql } from 'drizzle-orm'
import type { LiveEvent } from '../../../ports.ts'
import { type Statement, statement } from '../../client.ts'
import { POSTS_CHANGED_SETTING } from './posts.ts'
import { PROFILES_CHANGED_SETTING } from './profiles.ts'

/** How many of a day's posts are kept at hand for the overview's top posts. */
export const TOP_POSTS_PER_DAY = 10

/**
 * Takes the lock under which everything visible of a workspace changes. Statements after it in the same
 * transaction see all that earlier holders committed (READ COMMITTED takes a new snapshot per statement).
 */
export function lockWorkspace(
  workspaceId: string,
): Statement<{ id: string; timezone: string; generation: number }> {
  return statement(sql`SELECT id, timezone, generation FROM workspaces WHERE id = ${workspaceId} FOR UPDATE`)
}

/** Makes the top posts of every day anew that an ingest of this transaction has touched. */
export function refreshTopPosts(workspaceId: string): Statement<never> {
  return statement(sql`
    UPDATE account_days d SET top_posts_stale = FALSE, top_posts = COALESCE((
      SELECT jsonb_agg(jsonb_build_object('id', t.id, 'engagements', t.engagements)
        ORDER BY t.engagements DESC, t.id)
      FROM (
        SELECT p.id, p.engagements FROM posts p
        WHERE p.account_id = d.account_id
          AND (p.posted_at AT TIME ZONE w.timezone)::date = d.day
          -- For the index. A day's first hour may come twice, of which the border knows the second.
          AND p.posted_at >= (d.day::timestamp AT TIME ZONE w.timezone) - interval '3 hours'
          AND p.posted_at < ((d.day + 1)::timestamp AT TIME ZONE w.timezone) + interval '3 hours'
          AND p.deleted_at IS NULL AND p.kind <> 'repost' AND p.engagements IS NOT NULL
        ORDER BY p.engagements DESC, p.id
        LIMIT ${TOP_POSTS_PER_DAY}
      ) t), '[]')
    FROM workspaces w
    WHERE w.id = ${workspaceId} AND d.workspace_id = w.id AND d.top_posts_stale`)
}

/**
 * Raises the generation and writes the event of it, if the ingest statements of this transaction changed
 * anything that can be seen.
 */
export function raiseAfterIngest(workspaceId: string): Statement<{ generation: number }> {
  return statement(sql`
    WITH told AS (
      SELECT NULLIF(current_setting(${POSTS_CHANGED_SETTING}, TRUE), '')::jsonb AS posts,
        NULLIF(current_setting(${PROFILES_CHANGED_SETTING}, TRUE), '') AS profiles
    ),
    raised AS (
      UPDATE workspaces w SET generation = generation + 1 FROM told
      WHERE w.id = ${workspaceId} AND (told.posts IS NOT NULL OR told.profiles IS NOT NULL)
      RETURNING w.generation
    ),
    written AS (
      INSERT INTO outbox (workspace_id, generation, events)
      SELECT ${workspaceId}::uuid, generation, jsonb_build_array(jsonb_build_object('type', 'metrics.updated',
        'data', COALESCE(told.posts, '{"accounts": [], "posts": []}')))
      FROM raised, told
    )
    SELECT generation FROM raised`)
}

/** Raises the generation for another reason than an ingest, with the events that tell of it. */
export function raiseGeneration(workspaceId: string, events: LiveEvent[]): Statement<{ generation: number }> {
  return statement(sql`
    WITH raised AS (
      UPDATE workspaces SET generation = generation + 1 WHERE id = ${workspaceId} RETURNING generation
    ),
    written AS (
      INSERT INTO outbox (workspace_id, generation, events)
      SELECT ${workspaceId}::uuid, generation, ${JSON.stringify(events)}::jsonb FROM raised
    )
    SELECT generation FROM raised`)
}

export interface OutboxRow {
  generation: number
  events: LiveEvent[]
}

/** What the workspace's hub may not have heard yet, in order. */
export function undeliveredEvents(workspaceId: string): Statement<OutboxRow> {
  return statement(sql`
    SELECT generation, events FROM outbox
    WHERE workspace_id = ${workspaceId} AND delivered_at IS NULL
    ORDER BY generation LIMIT 50`)
}

/** Records that the hub has everything up to a generation. */
export function markDelivered(workspaceId: string, upToGeneration: number): Statement<never> {
  return statement(sql`
    UPDATE outbox SET delivered_at = now()
    WHERE workspace_id = ${workspaceId} AND delivered_at IS NULL AND generation <= ${upToGeneration}`)
}
