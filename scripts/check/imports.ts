import { parseSync, Visitor } from 'vite'
import { lineAt } from './finding.ts'

/** One way in which a module names another. */
export interface ImportReference {
  /** As written; `null` where it is computed at run time. */
  specifier: string | null
  /** Whether nothing of it is left once types are stripped (`import type`, `import('…').T`). */
  typeOnly: boolean
  line: number
}

/**
 * Every import of a TypeScript module, in order: static, re-exporting, dynamic, and in types.
 * @throws when the module cannot be parsed.
 */
export function readImports(path: string, source: string): ImportReference[] {
  const result = parseSync(path, source, { lang: path.endsWith('x') ? 'tsx' : 'ts' })
  const [problem] = result.errors
  if (problem) throw new Error(`${path} cannot be parsed: ${problem.message}`)
  const found: { specifier: string | null; typeOnly: boolean; start: number }[] = []
  const { staticImports, staticExports, dynamicImports } = result.module
  for (const { start, moduleRequest } of staticImports) {
    found.push({ specifier: moduleRequest.value, typeOnly: isTypeStatement(source, start), start })
  }
  for (const { start, entries } of staticExports) {
    const request = entries.find(({ moduleRequest }) => moduleRequest !== null)?.moduleRequest
    if (request) found.push({ specifier: request.value, typeOnly: isTypeStatement(source, start), start })
  }
  for (const { start, moduleRequest } of dynamicImports) {
    found.push({
      specifier: literal(source.slice(moduleRequest.start, moduleRequest.end)),
      typeOnly: false,
      start,
    })
  }
  new Visitor({
    TSImportType: ({ source: { value }, start }) => found.push({ specifier: value, typeOnly: true, start }),
  }).visit(result.program)
  return found
    .sort((a, b) => a.start - b.start)
    .map(({ start, ...reference }) => ({ ...reference, line: lineAt(source, start) }))
}

/** `import { type A }` is none: with `verbatimModuleSyntax` the module is still loaded. */
function isTypeStatement(source: string, start: number): boolean {
  return /^(?:import|export)\s+type\b/.test(source.slice(start))
}

/** The value of a string literal (or a template without parts), `null` for any other expression. */
function literal(expression: string): string | null {
  return /^(['"`])([^'"`$\\]*)\1$/.exec(expression.trim())?.[2] ?? null
}
