import type { Account, PlatformName } from './types.ts'

/** What a person would type or paste to name an account. @param mastodonHost `host:port` of the server */
export function typedName(platform: PlatformName, handle: string, mastodonHost: string): string {
  switch (platform) {
    case 'bluesky':
      return handle
    case 'mastodon':
      return `@${handle}@${mastodonHost}`
    case 'youtube':
      return `https://www.youtube.com/@${handle}`
    case 'x':
      return `https://x.com/${handle}`
    case 'instagram':
      return `https://www.instagram.com/${handle}`
    case 'threads':
      return `https://www.threads.com/@${handle}`
    case 'facebook':
      return `https://www.facebook.com/${handle}`
    case 'tiktok':
      return `https://www.tiktok.com/@${handle}`
    case 'linkedin':
      return `https://www.linkedin.com/company/${handle}`
    case 'reddit':
      return `u/${handle}`
  }
}

/** The same for an account, which may be a community. @param handle the one that it has at the moment */
export function typedNameOf(account: Account, handle: string, mastodonHost: string): string {
  return account.isCommunity ? `r/${handle}` : typedName(account.platform, handle, mastodonHost)
}
