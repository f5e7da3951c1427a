import { useState } from 'preact/hooks'
import type { Platform } from '../../../src/domain/platforms.ts'
import { PlatformBadge } from './platform-badge.tsx'

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

/** An account's picture, or its initials; with the platform's sign at its corner. */
export function Avatar({ person }: { person: Person }) {
  const [failedUrl, setFailedUrl] = useState<string | null>(null)
  const url = person.avatarUrl
  return (
    <span class="avatar">
      {url !== null && url !== failedUrl ? (
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
        <span class="avatar-initials" aria-hidden="true">
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

/** `@harbour.example` */
export function atHandle(handle: string): string {
  return handle.startsWith('@') ? handle : `@${handle}`
}
