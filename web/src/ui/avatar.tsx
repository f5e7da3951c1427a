import { useState } from 'preact/hooks'
import type { Platform } from '../../../src/domain/platforms.ts'
import { PlatformBadge, platformLabel } from './platform-badge.tsx'

interface Person {
  platform: Platform
  handle: string
  displayName: string | null
  avatarUrl: string | null
}

function initials(person: Person): string {
  const words = (person.displayName ?? person.handle).replace(/[^\p{L}\p{N}\s.-]/gu, '').split(/[\s.-]+/)
  const letters = words.filter((word) => word !== '').map((word) => [...word][0] ?? '')
  return letters.slice(0, 2).join('').toUpperCase() || '?'
}

const TONES = 6

/** The same colour for the same account, everywhere. */
function toneOf(person: Person): number {
  let sum = 0
  for (const letter of `${person.platform} ${person.handle}`)
    sum = (sum * 31 + (letter.codePointAt(0) ?? 0)) % 65_521
  return sum % TONES
}

/** Whether the page's own policy (`web/public/_headers`) lets it show this picture: asking for another would only fail. */
function isShowable(url: string): boolean {
  return url.startsWith('https:') || url.startsWith(`${window.location.origin}/`)
}

/** An account's picture, or its initials; with the platform's sign at its corner. */
export function Avatar({ person }: { person: Person }) {
  const [failedUrl, setFailedUrl] = useState<string | null>(null)
  const url = person.avatarUrl
  return (
    <span class="avatar">
      {url !== null && isShowable(url) && url !== failedUrl ? (
        <img
          src={url}
          alt=""
          width="36"
          height="36"
          loading="lazy"
          decoding="async"
          referrerpolicy="no-referrer"
          onError={() => setFailedUrl(url)}
        />
      ) : (
        <span class={`avatar-initials avatar-tone-${toneOf(person)}`} aria-hidden="true">
          {initials(person)}
        </span>
      )}
      <PlatformBadge platform={person.platform} named />
    </span>
  )
}

/** `Harbour Books`, or the handle where there is no name. */
export function accountName(account: { displayName: string | null; handle: string }): string {
  return account.displayName?.trim() || atHandle(account.handle)
}

/** What stands below the name: the handle, or the platform where the handle is all the name there is. */
export function accountSubtitle(account: Person): string {
  return account.displayName?.trim() ? atHandle(account.handle) : platformLabel(account.platform)
}

/** `@harbour.example` */
export function atHandle(handle: string): string {
  return handle.startsWith('@') ? handle : `@${handle}`
}

/** The account's own page. */
export function accountHref(id: string): string {
  return `/accounts/${encodeURIComponent(id)}`
}
