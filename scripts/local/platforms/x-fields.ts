import { ApiError, type Call } from './platform-handler.ts'
import type { ViolationKind } from './stats.ts'

/** X names everything either after tweets or after posts. */
export type XSpelling = 'tweet' | 'post'

/** What becomes of names that X does not know in its spelling: refused, or passed over without a word. */
export type XStrictness = 'refuses' | 'ignores'

/** The words that differ. */
export interface XWords {
  fieldsParameter: string
  /** Fields that can be asked for, beside those that always come. */
  fields: readonly string[]
  expansions: readonly string[]
  references: string
  referenceExpansion: string
  note: string
  editHistory: string
  reposts: string
  postCount: string
  includedPosts: string
  resource: string
  problems: string
}

const COMMON_FIELDS = [
  'attachments',
  'conversation_id',
  'created_at',
  'entities',
  'id',
  'lang',
  'public_metrics',
  'text',
]

export const X_WORDS: Record<XSpelling, XWords> = {
  tweet: {
    fieldsParameter: 'tweet.fields',
    fields: [
      ...COMMON_FIELDS,
      'author_id',
      'edit_history_tweet_ids',
      'in_reply_to_user_id',
      'note_tweet',
      'referenced_tweets',
    ],
    expansions: ['attachments.media_keys', 'author_id', 'referenced_tweets.id'],
    references: 'referenced_tweets',
    referenceExpansion: 'referenced_tweets.id',
    note: 'note_tweet',
    editHistory: 'edit_history_tweet_ids',
    reposts: 'retweet_count',
    postCount: 'tweet_count',
    includedPosts: 'tweets',
    resource: 'tweet',
    problems: 'https://api.twitter.com/2/problems/',
  },
  post: {
    fieldsParameter: 'post.fields',
    fields: [...COMMON_FIELDS, 'note_post'],
    expansions: ['attachments.media_keys', 'author_id', 'referenced_posts'],
    references: 'referenced_posts',
    referenceExpansion: 'referenced_posts',
    note: 'note_post',
    editHistory: 'edit_history_post_ids',
    reposts: 'repost_count',
    postCount: 'post_count',
    includedPosts: 'posts',
    resource: 'post',
    problems: 'https://api.x.com/2/problems/',
  },
}

const USER_FIELDS = [
  'created_at',
  'description',
  'id',
  'name',
  'profile_image_url',
  'protected',
  'public_metrics',
  'url',
  'username',
  'verified',
]
const MEDIA_FIELDS = [
  'alt_text',
  'duration_ms',
  'height',
  'media_key',
  'preview_image_url',
  'public_metrics',
  'type',
  'url',
  'width',
]

/** What a call wants to see, of what there is. */
export interface Wanted {
  post: ReadonlySet<string>
  user: ReadonlySet<string>
  media: ReadonlySet<string>
  expansions: ReadonlySet<string>
}

/** A parameter that X does not take, named in its answer. */
export class InvalidParameter extends ApiError {
  readonly parameter: string
  readonly value: string

  constructor(parameter: string, value: string, message: string, violation: ViolationKind = 'bad_parameter') {
    super(400, 'invalid-request', message, violation)
    this.parameter = parameter
    this.value = value
  }
}

/** Reads the parameters for fields and expansions. @throws InvalidParameter where names are refused */
export function readWanted(
  call: Call,
  words: XWords,
  strictness: XStrictness,
  own: readonly string[],
): Wanted {
  const known: Record<string, readonly string[]> = {
    [words.fieldsParameter]: words.fields,
    'user.fields': USER_FIELDS,
    'media.fields': MEDIA_FIELDS,
    expansions: words.expansions,
  }
  const names = [...own, ...Object.keys(known)]
  for (const [name, value] of call.url.searchParams) {
    if (names.includes(name)) continue
    if (strictness === 'ignores') {
      call.note('bad_parameter', `unknown parameter ${name}`)
      continue
    }
    throw new InvalidParameter(
      name,
      value,
      `The query parameter [${name}] is not one of [${names.toSorted().join(',')}]`,
    )
  }
  const read = (parameter: string): Set<string> => {
    const values = (call.url.searchParams.get(parameter) ?? '').split(',').filter((value) => value !== '')
    const taken = known[parameter] ?? []
    for (const value of values) {
      if (taken.includes(value)) continue
      if (strictness === 'ignores') {
        call.note('bad_parameter', `${parameter}=${value}`)
        continue
      }
      const message = `The \`${parameter}\` query parameter value [${value}] is not one of [${taken.join(',')}]`
      throw new InvalidParameter(parameter, value, message)
    }
    return new Set(values.filter((value) => taken.includes(value)))
  }
  return {
    post: read(words.fieldsParameter),
    user: read('user.fields'),
    media: read('media.fields'),
    expansions: read('expansions'),
  }
}

/** The properties of an object that always come, and those that were asked for. */
export function project(
  object: Record<string, unknown>,
  always: readonly string[],
  wanted: ReadonlySet<string>,
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(object).filter(
      ([name, value]) => value !== undefined && (always.includes(name) || wanted.has(name)),
    ),
  )
}
