/** What is said of a text that `isStorable` refuses. */
export const NOT_STORABLE = 'contains a character (U+0000) that cannot be stored'

/** Whether Postgres can keep a text, or look for it: it knows no NUL character. */
export function isStorable(text: string): boolean {
  return !text.includes('\0')
}
