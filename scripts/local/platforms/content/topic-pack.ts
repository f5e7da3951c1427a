import type { Media } from '../types.ts'

/** The vocabulary from which the posts about one topic are composed. */
export interface TopicPack {
  /** Language of everything but `elsewhere`. */
  language: string
  /** Noun phrases that fit in the middle of a sentence. */
  subjects: readonly string[]
  /** Sentences with `{subject}`, `{Subject}` or `{n}`. */
  openers: readonly string[]
  /** Sentences that may follow an opener. */
  details: readonly string[]
  /** What the account says under somebody's post, or under its own. */
  answers: readonly string[]
  /** What the account says on top of a quoted post. */
  remarks: readonly string[]
  /** Without `#`, each in a spelling that authors use. */
  hashtags: readonly string[]
  emoji: readonly string[]
  /** Whole posts in other languages and scripts. */
  elsewhere: readonly { language: string; text: string }[]
  linkHost: string
  alts: readonly string[]
  /** Relative frequency of what is attached to a post. */
  media: readonly (readonly [Media['type'] | 'none', number])[]
}
