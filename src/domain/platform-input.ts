import type { Platform } from './platforms.ts'

/** What a person typed, understood: a platform, and how its connector calls the account. */
export interface PlatformInput {
  platform: Platform
  /**
   * Bluesky: handle or DID. Mastodon: `user@host`. YouTube: `@handle`, `UC…` or `user/name`.
   * Reddit: `u/name` or `r/name`. LinkedIn: slug, id or URN of a company. Elsewhere: the user name or id.
   */
  name: string
}

/** A Mastodon account's address; `host` may carry a port, and is in ASCII and lower case. */
export interface MastodonAddress {
  user: string
  host: string
}

const INVISIBLE = /\p{Cf}/gu
const CONTROL = /\p{Cc}/u
const DID = /^did:(?:plc:[a-z0-9]{8,64}|web:[a-zA-Z0-9._:%-]{1,250}[a-zA-Z0-9._-])$/
const BLUESKY_HANDLE = /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/
const MASTODON_USER = /^[\p{L}\p{N}_](?:[\p{L}\p{N}_.-]{0,98}[\p{L}\p{N}_])?$/u
const YOUTUBE_CHANNEL = /^UC[\w-]{22}$/
const LINKEDIN_URN = /^urn:li:organization:\d{1,20}$/

/**
 * Without what copying from a page leaves around a name: white space, and invisible direction marks. Nothing
 * is left of an input with control characters within: it names nobody, and must not be mended into a name.
 */
function tidy(input: string): string {
  const text = input.normalize('NFC').replace(INVISIBLE, '').trim()
  return CONTROL.test(text) ? '' : text
}

/** The host of an address in ASCII, as the network knows it; `null` when it is none. */
function asciiHost(host: string): string | null {
  if (host === '' || /[\s\p{Cc}/?#@\\%]/u.test(host)) return null
  return URL.parse(`https://${host}/`)?.host ?? null
}

/** The web address in an input, with or without its scheme; `null` when the input is something else. */
function parseWebAddress(input: string): URL | null {
  const url = /^https?:\/\//iu.test(input)
    ? URL.parse(input)
    : // Without a scheme only what has a path can be told from a name.
      /^(?:[\p{L}\p{N}-]+\.)+[\p{L}][\p{L}\p{N}-]*\/./u.test(input)
      ? URL.parse(`https://${input}`)
      : null
  return url?.username === '' ? url : null
}

/** The parts of a URL's path, decoded; none when it cannot be decoded. */
function pathParts(url: URL): string[] {
  try {
    return url.pathname
      .split('/')
      .filter((part) => part !== '')
      .map((part) => decodeURIComponent(part))
  } catch {
    return []
  }
}

function isHostOf(url: URL, ...domains: string[]): boolean {
  return domains.some((domain) => url.hostname === domain || url.hostname.endsWith(`.${domain}`))
}

/** A handle in ASCII and lower case, or a DID; `null` when it is neither. */
function blueskyName(text: string): string | null {
  const name = text.replace(/^[@＠]/u, '')
  if (name.startsWith('did:')) return DID.test(name) ? name : null
  const handle = asciiHost(name)
  return handle !== null && handle.length <= 253 && BLUESKY_HANDLE.test(handle) ? handle : null
}

/**
 * The handle (lower case, ASCII) or DID of a Bluesky account, from a handle with or without `@`, a DID,
 * an `at://` URI, or the address of a profile or post; `null` when it is none of these.
 */
export function parseBlueskyActor(input: string): string | null {
  const text = tidy(input)
  const repository = /^at:\/\/([^/?#]+)/u.exec(text)
  if (repository?.[1] !== undefined) return blueskyName(repository[1])
  const url = parseWebAddress(text)
  if (url === null) return blueskyName(text)
  const [section, name] = pathParts(url)
  return isHostOf(url, 'bsky.app') && section === 'profile' && name !== undefined ? blueskyName(name) : null
}

function mastodonAddress(user: string | undefined, host: string | undefined): MastodonAddress | null {
  if (user === undefined || host === undefined || !MASTODON_USER.test(user)) return null
  const ascii = asciiHost(host)
  return ascii === null ? null : { user, host: ascii }
}

/**
 * The address of a Mastodon account, from `user@host` (with or without a leading `@` or `acct:`), or the
 * address of a profile or post as Mastodon and its kin build it; `null` when it is none of these. Of a
 * profile that one server shows of another's account, the other's address.
 */
export function parseMastodonAddress(input: string): MastodonAddress | null {
  const text = tidy(input)
  const url = parseWebAddress(text)
  if (url === null) {
    const [user, host, ...more] = text.replace(/^(?:acct:)?[@＠]?/iu, '').split(/[@＠]/u)
    return more.length === 0 ? mastodonAddress(user, host) : null
  }
  const parts = pathParts(url)
  const [first, second] = parts[0] === 'web' || parts[0] === 'deck' ? parts.slice(1) : parts
  if (first === 'users') return mastodonAddress(second, url.host)
  if (!first?.startsWith('@')) return null
  const [user, home, ...more] = first.slice(1).split('@')
  return more.length === 0 ? mastodonAddress(user, home ?? url.host) : null
}

/** How `user@host` is written. */
export function formatMastodonAddress(address: MastodonAddress): string {
  return `${address.user}@${address.host}`
}

/** First parts of a path that lead to a page of the platform's own. */
const OWN_PAGES: ReadonlySet<string> = new Set(
  `about accounts ads business compose developer developers directory discover events explore explore
   foryou gaming groups hashtag help home i intent legal live login marketplace messages notifications p
   pages people policies privacy reel reels search settings share signup stories terms tos tv upload
   watch`.split(/\s+/u),
)

function profileName(part: string | undefined, pattern = /^[\w.]{1,50}$/u): string | null {
  const name = part?.replace(/^@/u, '')
  return name === undefined || OWN_PAGES.has(name.toLowerCase()) || !pattern.test(name) ? null : name
}

function youtubeName([first, second]: string[]): string | null {
  if (first?.startsWith('@')) return first.length > 1 ? first : null
  if (second === undefined) return null
  if (first === 'channel') return YOUTUBE_CHANNEL.test(second) ? second : null
  return first === 'user' || first === 'c' ? `${first}/${second}` : null
}

function facebookName(url: URL, [first, second, third]: string[]): string | null {
  if (first === 'profile.php') return profileName(url.searchParams.get('id') ?? undefined, /^\d{1,20}$/u)
  if (first === 'pages' || first === 'people') return profileName(third ?? second, /^[\p{L}\p{N}.-]{1,100}$/u)
  return profileName(first, /^[\p{L}\p{N}.-]{1,100}$/u)
}

function redditName([first, second]: string[]): string | null {
  if (second === undefined || !/^[\w-]{2,30}$/u.test(second)) return null
  if (first === 'u' || first === 'user') return `u/${second}`
  return first === 'r' ? `r/${second}` : null
}

/** Where platforms shorten their links: what they lead to, the address does not say. */
const SHORTENERS: ReadonlyMap<string, Platform> = new Map([
  ['fb.me', 'facebook'],
  ['fb.watch', 'facebook'],
  ['instagr.am', 'instagram'],
  ['lnkd.in', 'linkedin'],
  ['redd.it', 'reddit'],
])

/** The account that a web address of a known platform names; `undefined` when no platform has that host. */
function platformOfHost(url: URL): { platform: Platform; name: string | null } | undefined {
  const parts = pathParts(url)
  const [first, second] = parts
  if (isHostOf(url, 'bsky.app')) return { platform: 'bluesky', name: parseBlueskyActor(url.href) }
  if (isHostOf(url, 'youtube.com', 'youtu.be')) return { platform: 'youtube', name: youtubeName(parts) }
  if (isHostOf(url, 'x.com', 'twitter.com')) return { platform: 'x', name: profileName(first, /^\w{1,15}$/u) }
  if (isHostOf(url, 'instagram.com')) return { platform: 'instagram', name: profileName(first) }
  if (isHostOf(url, 'threads.net', 'threads.com')) return { platform: 'threads', name: profileName(first) }
  if (isHostOf(url, 'facebook.com', 'fb.com')) return { platform: 'facebook', name: facebookName(url, parts) }
  if (isHostOf(url, 'tiktok.com'))
    return { platform: 'tiktok', name: first?.startsWith('@') ? profileName(first) : null }
  if (isHostOf(url, 'linkedin.com')) {
    const isPage = first === 'company' || first === 'showcase'
    return {
      platform: 'linkedin',
      name: isPage ? profileName(second, /^[\p{L}\p{N}\p{M}_&'.-]{1,120}$/u) : null,
    }
  }
  if (isHostOf(url, 'reddit.com')) return { platform: 'reddit', name: redditName(parts) }
  const platform = SHORTENERS.get(url.hostname)
  return platform === undefined ? undefined : { platform, name: null }
}

/** The platform whose web address was pasted, whether or not it is that of an account; `null` for any other input. */
export function platformOfAddress(input: string): Platform | null {
  const url = parseWebAddress(tidy(input))
  return (url === null ? undefined : platformOfHost(url))?.platform ?? null
}

/**
 * Tells the platform from what a person typed or pasted. `null` when nothing can be told: a bare name
 * (`@ada`) may be anybody's, and a page that is no profile is nobody's.
 */
export function identifyPlatform(input: string): PlatformInput | null {
  const text = tidy(input)
  const found = (platform: Platform, name: string | null): PlatformInput | null =>
    name === null ? null : { platform, name }

  if (/^(?:did:|at:\/\/)/u.test(text)) return found('bluesky', parseBlueskyActor(text))
  if (YOUTUBE_CHANNEL.test(text)) return found('youtube', text)
  if (LINKEDIN_URN.test(text)) return found('linkedin', text)
  if (/^\/?(?:u|user|r)\/[^/]+\/?$/u.test(text))
    return found('reddit', redditName(text.split('/').filter(Boolean)))

  const url = parseWebAddress(text)
  const known = url === null ? undefined : platformOfHost(url)
  if (known !== undefined) return found(known.platform, known.name)
  const address = parseMastodonAddress(text)
  if (address !== null) return found('mastodon', formatMastodonAddress(address))
  return url === null ? found('bluesky', blueskyName(text)) : null
}
