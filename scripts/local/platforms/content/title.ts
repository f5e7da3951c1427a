const MAX_CHARACTERS = 90

/** A title for a post that was written without one: its first sentence, without tags and addresses. */
export function titleOf(text: string): string {
  const plain = text
    .replaceAll(/https?:\/\/\S+/g, '')
    .replaceAll('#', '')
    .replaceAll(/\s+/g, ' ')
    .trim()
  const sentence = /^.*?[.!?。！？](?=\s|$|\p{Script=Han}|\p{Script=Hiragana}|\p{Script=Katakana})/u.exec(
    plain,
  )
  const title = (sentence?.[0] ?? plain).replace(/\.$/, '')
  if (title === '') return 'Untitled'
  if (title.length <= MAX_CHARACTERS) return title
  const cut = title.slice(0, MAX_CHARACTERS)
  const lastSpace = cut.lastIndexOf(' ')
  return `${(lastSpace > 0 ? cut.slice(0, lastSpace) : cut).toWellFormed()}…`
}
