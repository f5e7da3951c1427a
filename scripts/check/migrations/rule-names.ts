/** Every rule that a migration can break, and that a comment can suspend for one statement. */
export const RULE_NAMES = [
  'index-concurrently',
  'concurrently-in-transaction',
  'repeatable',
  'add-column',
  'column-type',
  'set-not-null',
  'not-valid',
  'expand-contract',
  'heavy-lock',
  'row-level-security',
  'security-definer',
  'foreign-key-index',
  'function-public',
] as const

export type RuleName = (typeof RULE_NAMES)[number]

export function isRuleName(text: string): text is RuleName {
  return RULE_NAMES.some((name) => name === text)
}
