const LABELS: Readonly<Record<string, string>> = { reply: 'Reply', quote: 'Quote', repost: 'Repost' }

/** What kind of post it is; `null` for a plain one, which needs no word. */
export function kindLabel(kind: string): string | null {
  return LABELS[kind] ?? null
}

const MEDIA: Readonly<Record<string, string>> = {
  image: 'Image',
  video: 'Video',
  gif: 'GIF',
  audio: 'Audio',
  link: 'Link',
  poll: 'Poll',
}

/** `Image`, `3 images`, `Video, link`: what a post carries beside its text; `null` for nothing. */
export function mediaLabel(media: readonly { type: string }[]): string | null {
  const counts = new Map<string, number>()
  for (const { type } of media) counts.set(type, (counts.get(type) ?? 0) + 1)
  const words = [...counts].map(([type, count]) => {
    const word = MEDIA[type] ?? 'Attachment'
    return count === 1 ? word : `${count} ${word === 'GIF' ? 'GIFs' : `${word.toLowerCase()}s`}`
  })
  return words.length === 0
    ? null
    : words.map((word, i) => (i === 0 || /^\d|GIF/.test(word) ? word : word.toLowerCase())).join(', ')
}
