import { lineAt } from './finding.ts'

/** What a Markdown document says that can be checked. */
export interface MarkdownParts {
  /** Targets of links, images and link definitions. */
  links: Located[]
  /** Inline code. */
  code: Located[]
  /** Lines of fenced code in a shell's language. */
  commands: Located[]
  /** What links may name after `#`, as GitHub makes it from headings. */
  anchors: Set<string>
}

export interface Located {
  text: string
  line: number
}

const SHELLS = new Set(['', 'sh', 'bash', 'shell', 'console', 'zsh'])
const FENCE = /^( {0,3})(`{3,}|~{3,})[ \t]*([\w-]*)[^\n]*\n([\s\S]*?)(?:^ {0,3}\2[`~]*[ \t]*$|(?![\s\S]))/gm
const COMMENT = /<!--[\s\S]*?-->/g
const CODE = /(?<!`)(`+)(?!`)([\s\S]*?[^`])\1(?!`)/g
const LINK = /\]\(\s*<?([^\s<>()]*(?:\([^\s()]*\)[^\s<>()]*)*)>?(?:\s+["'(][^\n]*?["')])?\s*\)/g
const DEFINITION = /^ {0,3}\[[^\]\n]+\]:[ \t]*<?([^\s<>]+)>?/gm
const HEADING = /^ {0,3}#{1,6}[ \t]+(.+?)[ \t]*#*[ \t]*$/gm

/** Takes a document apart. Code is not searched for links, nor comments for anything. */
export function readMarkdown(source: string): MarkdownParts {
  const commands: Located[] = []
  const withoutFences = source
    .replace(COMMENT, blank)
    .replace(FENCE, (whole, _indent, _marks, language, body, at) => {
      if (SHELLS.has(language)) {
        const firstLine = lineAt(source, at) + 1
        for (const [index, text] of String(body).split('\n').entries())
          commands.push({ text, line: firstLine + index })
      }
      return blank(whole)
    })
  const code: Located[] = []
  const prose = withoutFences.replace(CODE, (whole, _marks, text, at) => {
    code.push({ text: String(text).trim(), line: lineAt(source, at) })
    return blank(whole)
  })
  const links = [LINK, DEFINITION].flatMap((pattern) =>
    [...prose.matchAll(pattern)].map((match) => ({
      text: match[1] ?? '',
      line: lineAt(source, match.index),
    })),
  )
  const headings = [...withoutFences.matchAll(HEADING)].map((match) => match[1] ?? '')
  return { links, code, commands, anchors: anchorsOf(headings) }
}

/** Spaces of the same length, so that places stay where they are. */
function blank(text: string): string {
  return text.replace(/[^\n]/g, ' ')
}

function anchorsOf(headings: readonly string[]): Set<string> {
  const anchors = new Set<string>()
  for (const heading of headings) {
    const slug = heading
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replaceAll(/\s/g, '-')
    let anchor = slug
    for (let count = 1; anchors.has(anchor); count++) anchor = `${slug}-${count}`
    anchors.add(anchor)
  }
  return anchors
}
