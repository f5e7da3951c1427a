/** Which platform a pasted handle or address most likely belongs to, so that nobody has to say it twice. */
export type ConnectablePlatform = 'bluesky' | 'mastodon'

const HOST = /^(?=.{4,253}$)([a-z0-9-]{1,63}\.)+[a-z0-9-]{2,63}$/i

function guessFromUrl(text: string): ConnectablePlatform | null {
  let url: URL
  try {
    url = new URL(text.includes('://') ? text : `https://${text}`)
  } catch {
    return null
  }
  if (url.hostname === 'bsky.app' || url.hostname.endsWith('.bsky.social')) return 'bluesky'
  // Mastodon: /@name, /@name@elsewhere, /users/name
  if (/^\/(web\/)?(@[^/]+|users\/[^/]+)/.test(url.pathname)) return 'mastodon'
  return null
}

/**
 * `name@host` and `host/@name` are Mastodon; a bare host name (`name.bsky.social`, or an own domain),
 * a DID and bsky.app addresses are Bluesky. `null` while it cannot be told.
 */
export function guessPlatform(input: string): ConnectablePlatform | null {
  const text = input.trim()
  if (/^(at:\/\/)?did:/i.test(text)) return 'bluesky'
  if (text.includes('://') || text.includes('/')) return guessFromUrl(text)
  const bare = text.replace(/^@/, '')
  const at = bare.indexOf('@')
  if (at > 0) {
    const host = bare.slice(at + 1)
    return HOST.test(host) || /^[\w.-]+:\d+$/.test(host) ? 'mastodon' : null
  }
  return at === -1 && HOST.test(bare) ? 'bluesky' : null
}
