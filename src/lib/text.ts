/** What is said of a text that `isStorable` refuses. */
export const NOT_STORABLE = 'contains a character (U+0000, or half of a surrogate pair) that cannot be stored'

/** Whether Postgres can keep a text, or look for it: it knows no NUL character, and no half of a character. */
export function isStorable(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0')
}
