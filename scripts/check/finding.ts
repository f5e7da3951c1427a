/** Something that is wrong, where a person (or an editor) can jump to it. */
export interface Finding {
  /** Relative to the repository, with `/`. */
  file: string
  /** From 1. */
  line: number
  rule: string
  message: string
}

/** `file:line  message (rule)`, in the order of files and lines. */
export function formatFindings(findings: readonly Finding[]): string {
  return findings
    .toSorted((a, b) => a.file.localeCompare(b.file) || a.line - b.line)
    .map(({ file, line, rule, message }) => `${file}:${line}  ${message} (${rule})`)
    .join('\n')
}

/** The line, from 1, in which an offset lies. */
export function lineAt(source: string, offset: number): number {
  let line = 1
  for (let at = source.indexOf('\n'); at >= 0 && at < offset; at = source.indexOf('\n', at + 1)) line++
  return line
}
