import { DatabaseError } from '../../db/client.ts'
import { type ImportRow, selectImport } from '../../db/queries/imports.ts'
import { failJob } from '../../db/queries/jobs.ts'
import { AppError } from '../../errors.ts'
import type { ServiceDeps } from '../context.ts'
import { announceJob, isOpenAt } from '../jobs/index.ts'
import { discardObject } from './discard-object.ts'
import { type ProcessImportMessage, processImportMessage } from './messages.ts'
import { type TakenRange, takeRange } from './take-range.ts'

/** A delivery has to end well within the queue's patience; what is left is for the next. */
const BUDGET_MS = 10_000
/** The runtime allows a delivery so many calls to the outside; a range makes about five. */
const MAX_RANGES = 100
const ANNOUNCE_EVERY_MS = 1_000

/**
 * How a delivery ended: with the last range in (`finished`), with a message that goes on (`continued`), behind
 * another delivery (`overtaken`), with nothing to do as the job is over (`over`), or for good (`failed`).
 */
export type ProcessedImport = 'finished' | 'continued' | 'overtaken' | 'over' | 'failed'

/**
 * Takes an import in, range by range, from where it stands. Each range is one transaction that stores its
 * rows and moves the import on, so a delivery that is repeated, late, or cut off at any point neither skips a
 * row nor counts one twice.
 *
 * Whoever finds another delivery ahead sees to it that there is a message for the place reached, as the other
 * one may have broken off before it sent that; where it was sent, the queue drops the second one.
 *
 * @throws what may pass if the message is delivered again; everything else fails the job
 */
export async function processImport(
  deps: ServiceDeps,
  message: ProcessImportMessage,
): Promise<ProcessedImport> {
  const { workspaceId, importId } = message
  const startedAtMs = deps.clock.now()
  let announcedAtMs = Number.NEGATIVE_INFINITY
  let outcome: ProcessedImport = 'overtaken'
  let standing = await load(deps, message)
  if (standing === null) return 'over'

  // Only its own progress keeps a delivery going.
  let reached = message.offset
  for (let ranges = 0; standing.nextOffset === reached && isOpenAt(standing, deps.clock.now()); ranges++) {
    // Not before the first range: a message for this very place would be dropped as sent before.
    if (ranges >= MAX_RANGES || (ranges > 0 && deps.clock.now() - startedAtMs >= BUDGET_MS)) {
      outcome = 'continued'
      break
    }
    const current: ImportRow = standing
    let taken: TakenRange | null
    try {
      taken = await takeRange(deps, workspaceId, current)
    } catch (error) {
      if (!isPermanent(error)) throw error
      return await giveUp(deps, workspaceId, current, error)
    }
    if (taken === null) {
      standing = await load(deps, message)
      if (standing === null) return 'over'
      break
    }
    standing = { ...current, ...taken.standing }
    reached = standing.nextOffset
    if (taken.job === null) break
    if (taken.isDone) outcome = 'finished'
    const nowMs = deps.clock.now()
    if (taken.isDone || nowMs - announcedAtMs >= ANNOUNCE_EVERY_MS) {
      await announceJob(deps, workspaceId, taken.job)
      announcedAtMs = nowMs
    }
  }
  if (!isOpenAt(standing, deps.clock.now())) {
    await discardObject(deps, standing.objectKey)
    return outcome === 'finished' ? 'finished' : 'over'
  }
  await deps.queue.publish([processImportMessage({ workspaceId, importId, offset: standing.nextOffset })])
  return outcome
}

async function load(deps: ServiceDeps, message: ProcessImportMessage): Promise<ImportRow | null> {
  const { workspaceId, importId } = message
  const [[row]] = await deps.db.inWorkspace(workspaceId, [selectImport(workspaceId, importId, null)])
  return row ?? null
}

/** Whether the next attempt would end in the same way: what Postgres refuses, it will refuse again. */
function isPermanent(error: unknown): boolean {
  return error instanceof DatabaseError || (error instanceof AppError && !error.retryable)
}

/** Fails the job with a reason; what was taken in so far stays. Another delivery may have finished it meanwhile. */
async function giveUp(
  deps: ServiceDeps,
  workspaceId: string,
  standing: ImportRow,
  error: unknown,
): Promise<ProcessedImport> {
  const { id, nextLine, objectKey } = standing
  const reason =
    error instanceof AppError
      ? { code: error.code, message: error.message }
      : ({ code: 'internal', message: 'What follows could not be stored.' } as const)
  const shown = { ...reason, message: `The import stopped before line ${nextLine}. ${reason.message}` }
  const nowIso = new Date(deps.clock.now()).toISOString()
  const [[failed]] = await deps.db.inWorkspace(workspaceId, [failJob(workspaceId, id, shown, nowIso)])
  if (failed === undefined) return 'over'
  deps.log.error('import failed', { workspaceId, importId: id, line: nextLine, error })
  await announceJob(deps, workspaceId, failed)
  await discardObject(deps, objectKey)
  return 'failed'
}
