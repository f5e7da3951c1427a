import { MAX_ACCOUNTS, partsOfSnowflake, snowflakeOf, tidOf, timeOfTid } from './identity.ts'
import type { PlatformName } from './types.ts'

/** Ids of posts in the platforms' own formats, from which the moment and the author can be read back. */

/** What an id is made of. */
export interface PostIdSource {
  /** Epoch milliseconds. */
  atMs: number
  /** 16 bits that tell the platform's accounts apart. */
  sequence: number
  /** The author's id. */
  accountId: string
  /** 32 bits that fill what is left of the id. */
  salt: number
}

/** What an id says. Which of the two names the author depends on the platform. */
export interface PostIdParts {
  atMs: number
  sequence: number | undefined
  accountId: string | undefined
}

interface Format {
  write(source: PostIdSource): string
  /** Only what has the format; whether such a post exists is for the schedule to say. */
  read(id: string): PostIdParts | undefined
}

const SEQUENCE_BITS = 16n
const SEQUENCE_MASK = BigInt(MAX_ACCOUNTS - 1)
const WORD = 2n ** 64n
/** Odd, so that multiplying by it can be undone; the second undoes the first. */
const SCATTER = 0x9e3779b97f4a7c15n
const GATHER = inverseOf(SCATTER)
const YOUTUBE_SALT_BITS = 7n
const SPARE_BITS = 6n
/** One post in so many is of LinkedIn's other kind. */
const UGC_POST_EVERY = 4

/** Each network counts time from its own beginning, which keeps ids as long as theirs are. */
const EPOCHS_MS = {
  youtube: Date.UTC(2005, 0),
  x: 1_288_834_974_657,
  instagram: Date.UTC(2010, 0),
  facebook: Date.UTC(2004, 0),
  threads: Date.UTC(2012, 0),
  reddit: Date.UTC(2005, 0),
}

const LINKEDIN_NUMBER = timeFirst(0)

const FORMATS: Record<PlatformName, Format> = {
  bluesky: {
    write: ({ atMs, accountId, salt }) => `at://${accountId}/app.bsky.feed.post/${tidOf(atMs, salt)}`,
    read: (id) => {
      const match = /^at:\/\/(did:[a-z]+:[a-zA-Z0-9._:%-]+)\/app\.bsky\.feed\.post\/([a-z2-7]+)$/.exec(id)
      const atMs = timeOfTid(match?.[2] ?? '')
      return atMs === undefined ? undefined : { atMs, sequence: undefined, accountId: match?.[1] }
    },
  },
  mastodon: {
    write: ({ atMs, sequence }) => snowflakeOf(atMs, sequence),
    read: (id) => {
      const parts = partsOfSnowflake(id)
      return parts && { ...parts, accountId: undefined }
    },
  },
  youtube: {
    write: ({ atMs, sequence, salt }) => {
      const packed = pack(atMs - EPOCHS_MS.youtube, sequence)
      return scattered((packed << YOUTUBE_SALT_BITS) | BigInt(salt & 0x7f))
    },
    read: (id) => {
      if (!/^[A-Za-z0-9_-]{11}$/.test(id)) return undefined
      const value = gathered(id)
      // Of the last character only four bits count, so there are other spellings of the same bits.
      return scattered(value) === id ? unpack(value >> YOUTUBE_SALT_BITS, EPOCHS_MS.youtube) : undefined
    },
  },
  x: timeFirst(EPOCHS_MS.x),
  linkedin: {
    write: (source) => {
      const type = source.salt % UGC_POST_EVERY === 0 ? 'ugcPost' : 'share'
      return `urn:li:${type}:${LINKEDIN_NUMBER.write(source)}`
    },
    read: (id) => LINKEDIN_NUMBER.read(/^urn:li:(?:share|ugcPost):(\d+)$/.exec(id)?.[1] ?? ''),
  },
  tiktok: {
    write: ({ atMs, sequence, salt }) => {
      const [seconds, ms] = [Math.floor(atMs / 1_000), atMs % 1_000]
      const low =
        (BigInt(ms) << (SEQUENCE_BITS + SPARE_BITS)) | (BigInt(sequence) << SPARE_BITS) | BigInt(salt & 0x3f)
      return String((BigInt(seconds) << 32n) | low)
    },
    read: (id) => {
      if (!/^\d{19}$/.test(id)) return undefined
      const value = BigInt(id)
      const ms = Number((value >> (SEQUENCE_BITS + SPARE_BITS)) & 0x3ffn)
      if (ms > 999) return undefined
      const sequence = Number((value >> SPARE_BITS) & SEQUENCE_MASK)
      return { atMs: Number(value >> 32n) * 1_000 + ms, sequence, accountId: undefined }
    },
  },
  instagram: prefixed('18', EPOCHS_MS.instagram),
  threads: prefixed('18', EPOCHS_MS.threads),
  facebook: {
    write: ({ atMs, sequence, accountId }) => `${accountId}_${pack(atMs - EPOCHS_MS.facebook, sequence)}`,
    read: (id) => {
      const digits = /^\d+_(\d{15,18})$/.exec(id)?.[1]
      return digits === undefined ? undefined : unpack(BigInt(digits), EPOCHS_MS.facebook)
    },
  },
  reddit: {
    write: ({ atMs, sequence }) => `t3_${pack(atMs - EPOCHS_MS.reddit, sequence).toString(36)}`,
    read: (id) => {
      const digits = /^t3_([0-9a-z]{10,12})$/.exec(id)?.[1]
      return digits === undefined ? undefined : unpack(fromBase36(digits), EPOCHS_MS.reddit)
    },
  },
}

/** The id of a post, in the form that its platform gives it. */
export function postIdOf(platform: PlatformName, source: PostIdSource): string {
  return FORMATS[platform].write(source)
}

/** The parts of a post's id, or undefined where the platform has no ids like that. */
export function parsePostId(platform: PlatformName, id: string): PostIdParts | undefined {
  return FORMATS[platform].read(id)
}

/** Time above 22 bits, of which 16 are the author's. */
function timeFirst(epochMs: number): Format {
  return {
    write: ({ atMs, sequence, salt }) =>
      String((pack(atMs - epochMs, sequence) << SPARE_BITS) | BigInt(salt & 0x3f)),
    read: (id) => (/^\d{17,19}$/.test(id) ? unpack(BigInt(id) >> SPARE_BITS, epochMs) : undefined),
  }
}

/** Meta's: a fixed beginning, then digits of a constant number. */
function prefixed(prefix: string, epochMs: number): Format {
  return {
    write: ({ atMs, sequence }) => prefix + String(pack(atMs - epochMs, sequence)).padStart(17, '0'),
    read: (id) => {
      const digits = id.slice(prefix.length)
      return id.startsWith(prefix) && /^\d{17}$/.test(digits) ? unpack(BigInt(digits), epochMs) : undefined
    },
  }
}

function pack(sinceMs: number, sequence: number): bigint {
  if (sinceMs < 0) throw new RangeError('The platform did not exist then')
  return (BigInt(sinceMs) << SEQUENCE_BITS) | BigInt(sequence)
}

function unpack(value: bigint, epochMs: number): PostIdParts {
  return {
    atMs: Number(value >> SEQUENCE_BITS) + epochMs,
    sequence: Number(value & SEQUENCE_MASK),
    accountId: undefined,
  }
}

/** Spreads 64 bits over eleven characters, so that ids of one day look nothing like each other. */
function scattered(value: bigint): string {
  let mixed = (value * SCATTER) % WORD
  mixed = ((mixed ^ (mixed >> 32n)) * SCATTER) % WORD
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(mixed)
  return bytes.toString('base64url')
}

function gathered(text: string): bigint {
  const mixed = (Buffer.from(text, 'base64url').readBigUInt64BE() * GATHER) % WORD
  return ((mixed ^ (mixed >> 32n)) * GATHER) % WORD
}

/** By Newton's method; each step doubles the bits that are right. */
function inverseOf(odd: bigint): bigint {
  let inverse = odd
  for (let step = 0; step < 6; step += 1) inverse = BigInt.asUintN(64, inverse * (2n - odd * inverse))
  return inverse
}

function fromBase36(text: string): bigint {
  let value = 0n
  for (const character of text) value = value * 36n + BigInt(Number.parseInt(character, 36))
  return value
}
