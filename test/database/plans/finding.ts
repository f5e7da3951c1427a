/** What is wrong with a plan. */
export type PlanRule =
  | 'failed'
  | 'too-many-rows-read'
  | 'too-many-rows-returned'
  | 'scans-growing-table'
  | 'spills'

/** One thing that is wrong with the plan of one statement. */
export interface PlanFinding {
  /** Name of the statement in the catalogue. */
  statement: string
  rule: PlanRule
  /** What of the plan it is: the table, the index, how many rows. */
  detail: string
}
