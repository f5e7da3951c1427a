import { posix } from 'node:path'
import type { SourceFile } from './files.ts'
import type { Finding } from './finding.ts'
import { type Located, readMarkdown } from './markdown.ts'

/** What documents are held against. */
export interface Repository {
  /** Every file, relative, with `/`. */
  files: readonly string[]
  /** The scripts of package.json. */
  scripts: readonly string[]
  /** Lines of .gitignore: what is made on the way need not be there. */
  ignored: readonly string[]
}

/** Endings of files whose names, once written in a document, must exist. */
const SOURCE_ENDING = /\.(?:tsx?|sql|toml|md|ya?ml)$/
const PATH = /^(?:\.{0,2}\/)?[\w.@*<>{},$[\]-]+(?:\/[\w.@*<>{},$[\]-]+)*\/?(?::\d+)?$/

const NPM_COMMAND = /\bnpm\s+(?:run(?:-script)?\s+([\w:.-]+)|(start|test)\b)/g

/** Finds references to files, headings and npm scripts that are not there. */
export function checkDocuments(documents: readonly SourceFile[], repository: Repository): Finding[] {
  const index = new PathIndex(repository)
  const parsed = new Map(documents.map(({ path, source }) => [path, readMarkdown(source)]))
  return [...parsed].flatMap(([path, { links, code, commands }]) => {
    const finding = (line: number, message: string): Finding => ({
      file: path,
      line,
      rule: 'documents',
      message,
    })
    const paths = [...code, ...commands.flatMap(words)]
    return [
      ...links.flatMap(({ text, line }) => {
        const problem = problemOfLink(path, text, index, (target) => parsed.get(target)?.anchors)
        return problem ? [finding(line, problem)] : []
      }),
      ...paths
        .filter(({ text }) => !index.isFine(path, text))
        .map(({ text, line }) => finding(line, `there is no ${text}`)),
      ...[...code, ...commands].flatMap(({ text, line }) =>
        [...text.matchAll(NPM_COMMAND)]
          .map((match) => match[1] ?? match[2] ?? '')
          .filter((script) => !repository.scripts.includes(script))
          .map((script) => finding(line, `package.json has no script "${script}"`)),
      ),
    ]
  })
}

/** Words of a command that may be paths, without what follows a `#`. */
function words({ text, line }: Located): Located[] {
  return text
    .replace(/(?:^|\s)#.*$/, '')
    .split(/[\s=;&|()"'`]+/)
    .map((word) => ({ text: word, line }))
}

function problemOfLink(
  document: string,
  target: string,
  index: PathIndex,
  anchorsOf: (path: string) => Set<string> | undefined,
): string | undefined {
  if (/^[a-z][a-z0-9+.-]*:|^\/\//i.test(target)) return undefined
  const [encodedPath = '', anchor] = target.split('#')
  const relative = decodeURIComponent(encodedPath)
  const path = relative === '' ? document : posix.join(posix.dirname(document), relative)
  if (!index.has(path)) return `the link to ${target} leads nowhere`
  const anchors = anchorsOf(path)
  if (anchor === undefined || anchors === undefined || anchors.has(anchor)) return undefined
  return `${path} has no heading for #${anchor}`
}

class PathIndex {
  private readonly paths = new Set<string>()
  private readonly roots = new Set<string>()
  private readonly names = new Set<string>()
  private readonly ignored: RegExp[]

  constructor({ files, ignored }: Repository) {
    for (const file of files) {
      this.names.add(posix.basename(file))
      const root = file.split('/')[0] ?? ''
      if (root !== file) this.roots.add(root)
      for (let path = file; path !== '.'; path = posix.dirname(path)) this.paths.add(path)
    }
    this.ignored = ignored
      .map((line) => line.trim())
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => toRegExp(line.replace(/^\/|\/$/g, ''), '(?:/.*)?$'))
  }

  /** Whether a file or directory is there (also by pattern), or is made on the way. */
  has(path: string): boolean {
    const plain = path.replace(/^\.\//, '').replace(/\/$/, '').replace(/:\d+$/, '')
    if (plain === '.' || plain === '' || this.paths.has(plain)) return true
    if (this.ignored.some((pattern) => pattern.test(plain))) return true
    if (!/[*<{]/.test(plain)) return false
    const pattern = toRegExp(plain, '$')
    return [...this.paths].some((each) => pattern.test(each))
  }

  /** Whether a path is the end of one that is there: documents may leave out what is plain from the context. */
  private hasEnding(path: string): boolean {
    if (path.startsWith('.')) return false
    const pattern = toRegExp(`**/${path.replace(/\/$/, '')}`, '$')
    return [...this.paths].some((each) => pattern.test(each))
  }

  /** Whether something in code is no path of this repository, or one that is there. */
  isFine(document: string, text: string): boolean {
    if (!PATH.test(text) || text.startsWith('/')) return true
    const path = text.replace(/:\d+$/, '')
    const isSource = SOURCE_ENDING.test(path)
    if (!path.includes('/'))
      return !isSource || path.startsWith('*') || this.names.has(path) || this.has(path)
    if (path.startsWith('.') && this.has(posix.join(posix.dirname(document), path))) return true
    const isRooted = this.roots.has(path.replace(/^\.\//, '').split('/')[0] ?? '')
    if (!isRooted && !isSource) return true
    return this.has(path) || this.has(posix.join(posix.dirname(document), path)) || this.hasEnding(path)
  }
}

const GLOBS: Readonly<Record<string, string>> = { '*': '[^/]*', '**': '.*', '**/': '(?:.*/)?' }

/** `*` is a part of a name, `**` any path, `<name>` any name, `{a,b}` either. */
function toRegExp(pattern: string, end: string): RegExp {
  const source = pattern
    .replace(/[.+^$()|[\]\\]/g, '\\$&')
    .replace(/<[^>]*>/g, '*')
    .replace(/\*\*\/?|\*/g, (stars) => GLOBS[stars] ?? '')
    .replace(/\{([^}]*)\}/g, (_, names: string) => `(?:${names.replaceAll(',', '|')})`)
  return new RegExp(`^${source}${end}`)
}
