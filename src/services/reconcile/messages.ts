import * as z from 'zod'

/** The UTC day on which a reconciliation began. */
const night = z.iso.date()

/** Plan a night's reconciliation; the schedule sends nothing, and so begins one. */
export const PlanReconciliationMessage = z.object({
  /** Where an earlier message of the night's plan has ended. */
  goOn: z.object({ night, after: z.uuid() }).optional(),
})
export type PlanReconciliationMessage = z.infer<typeof PlanReconciliationMessage>

/** Compare a workspace's rollups with its raw rows. */
export const ReconcileWorkspaceMessage = z.object({
  workspaceId: z.uuid(),
  night,
  /** The full quarter hour up to which an earlier message of the night has come; `null`: none has. */
  from: z.iso.datetime().nullable(),
})
export type ReconcileWorkspaceMessage = z.infer<typeof ReconcileWorkspaceMessage>
