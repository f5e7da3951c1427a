/** What one examination found. */
export interface CheckResult {
  area: string
  status: 'ok' | 'warning' | 'problem'
  finding: string
  /** What to do about it. */
  advice?: string
  /** Whether a deployment puts it right by itself. */
  isSolvedByDeploying?: boolean
}

export function ok(area: string, finding: string): CheckResult {
  return { area, status: 'ok', finding }
}

export function warning(area: string, finding: string, advice: string): CheckResult {
  return { area, status: 'warning', finding, advice }
}

export function problem(area: string, finding: string, advice: string): CheckResult {
  return { area, status: 'problem', finding, advice }
}

/** Marks results that are to be expected before a deployment. */
export function solvedByDeploying(result: CheckResult): CheckResult {
  return result.status === 'ok' ? result : { ...result, isSolvedByDeploying: true }
}

/** A table for people: one line for each result, what to do about it below, a sum at the end. */
export function formatReport(results: readonly CheckResult[]): string {
  const areaWidth = Math.max(0, ...results.map(({ area }) => area.length))
  const lines = results.flatMap(({ status, area, finding, advice }) => [
    `${status.padEnd(7)}  ${area.padEnd(areaWidth)}  ${finding}`,
    ...(advice === undefined ? [] : [`${' '.repeat(9 + areaWidth)}  → ${advice}`]),
  ])
  return [...lines, '', totals(results)].join('\n')
}

/** Whether anything keeps the deployment from working. */
export function hasProblems(results: readonly CheckResult[]): boolean {
  return results.some(({ status }) => status === 'problem')
}

function totals(results: readonly CheckResult[]): string {
  const count = (status: CheckResult['status']) => results.filter((result) => result.status === status).length
  const problems = count('problem')
  const warnings = count('warning')
  if (problems + warnings === 0) return 'Everything is in order.'
  const named = (amount: number, noun: string) => `${amount} ${noun}${amount === 1 ? '' : 's'}`
  return `${named(problems, 'problem')}, ${named(warnings, 'warning')}.`
}

/** The message of whatever was thrown, its cause included: fetch hides the reason there. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const reasons = error instanceof AggregateError ? error.errors.map(messageOf) : []
  const cause = error.cause === undefined ? '' : messageOf(error.cause)
  return [error.message || error.name, ...reasons, cause]
    .filter((text, at, all) => text !== '' && all.indexOf(text) === at)
    .join(': ')
}
