/** A test for Redis patterns: `*`, `?`, `[a-c]`, `[^a]`, and a backslash before what is meant literally. */
export function globMatcher(pattern: string): (text: string) => boolean {
  if (pattern === '*') return () => true
  let source = ''
  for (let index = 0; index < pattern.length; index++) {
    const character = pattern.charAt(index)
    if (character === '*') source += '[^]*'
    else if (character === '?') source += '[^]'
    else if (character === '\\' && index + 1 < pattern.length) source += literally(pattern.charAt(++index))
    else if (character === '[' && pattern.indexOf(']', index + 1) !== -1) {
      const end = pattern.indexOf(']', index + 1)
      source += characterClass(pattern.slice(index + 1, end))
      index = end
    } else source += literally(character)
  }
  const expression = new RegExp(`^${source}$`)
  return (text) => expression.test(text)
}

const literally = (character: string) => character.replace(/[\\^$.*+?()[\]{}|/-]/, '\\$&')

function characterClass(body: string): string {
  const negated = body.startsWith('^')
  const members = (negated ? body.slice(1) : body).replace(/[\\\]^]/g, '\\$&')
  return `[${negated ? '^' : ''}${members}]`
}
