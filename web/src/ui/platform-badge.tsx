import type { ComponentChildren } from 'preact'
import { PLATFORM_FACTS, type Platform } from '../../../src/domain/platforms.ts'

/** Simple signs, drawn for this page, by which the platforms are told apart; the name stands beside or in the title. */
const SIGNS: Record<Platform, ComponentChildren> = {
  bluesky: (
    <path
      fill="currentColor"
      stroke="none"
      d="M10 9.6C9 7.6 6.6 5 4.6 4.4 3.3 4 2.7 4.7 2.7 6c0 1.3.4 3.7.9 4.5.7 1 2 1.3 3.4 1-2 .4-3.2 1.4-1.8 3.1 1.7 2 3.7-.2 4.8-2.5 1.1 2.3 3.1 4.5 4.8 2.5 1.4-1.7.2-2.7-1.8-3.1 1.4.3 2.7 0 3.4-1 .5-.8.9-3.2.9-4.5 0-1.3-.6-2-1.9-1.6-2 .6-4.4 3.2-5.4 5.2Z"
    />
  ),
  mastodon: (
    <path d="M6 16c3 1.3 6 .9 8-.1M5 12V7.5A3.5 3.5 0 0 1 8.5 4h3A3.5 3.5 0 0 1 15 7.5V10c0 2-1.5 3-3 3H8M7.7 10.5V8.3a1.15 1.15 0 0 1 2.3 0v1.2-1.2a1.15 1.15 0 0 1 2.3 0v2.2" />
  ),
  youtube: (
    <>
      <rect x="3" y="5" width="14" height="10" rx="3" />
      <path fill="currentColor" d="M8.7 8v4l3.5-2-3.5-2Z" />
    </>
  ),
  x: <path d="m5 4.5 10 11M15 4.5l-10 11" />,
  instagram: (
    <>
      <rect x="4" y="4" width="12" height="12" rx="3.5" />
      <circle cx="10" cy="10" r="2.7" />
      <path d="M13.3 6.7v.1" />
    </>
  ),
  threads: (
    <path d="M14.5 7.5C14 5.5 12.5 4 10 4c-3.5 0-5 2.5-5 6s1.5 6 5 6c2.5 0 4.5-1.3 4.5-3.3 0-2.5-3-3-5-2.7-1.3.2-2.2.9-2 1.9.3 1.3 2.3 1.4 3.3.5 1.2-1 1.2-3.4-.3-4-.9-.4-1.9-.1-2.4.6" />
  ),
  facebook: <path d="M11 16.5V7.3c0-1.5.8-2.3 2.5-2.3M8 10h5" />,
  tiktok: <path d="M11 4v8.5a2.5 2.5 0 1 1-2.5-2.5M11 4c.3 2.2 1.8 3.5 4 3.7" />,
  linkedin: <path d="M5.5 9v6M5.5 5.5v.1M9 15V9M9 11.8C9 10 10 9 11.7 9s2.6 1 2.6 3v3" />,
  reddit: (
    <>
      <ellipse cx="10" cy="11.5" rx="6" ry="4.3" />
      <path d="M8 10.8v.1M12 10.8v.1M8 13.3c1.2.8 2.8.8 4 0M10 7l.8-3 2.7.6" />
    </>
  ),
}

export function platformLabel(platform: Platform): string {
  return PLATFORM_FACTS[platform].label
}

/** The platform's sign. `named`: its name is not written beside it, so the sign must say it. */
export function PlatformBadge({ platform, named = false }: { platform: Platform; named?: boolean }) {
  const label = platformLabel(platform)
  return (
    <span class={`platform-badge platform-${platform}`} title={label}>
      <svg
        width="14"
        height="14"
        viewBox="0 0 20 20"
        fill="none"
        stroke="currentColor"
        stroke-width="1.9"
        stroke-linecap="round"
        stroke-linejoin="round"
        aria-hidden="true"
      >
        {SIGNS[platform]}
      </svg>
      {named && <span class="visually-hidden">{label}</span>}
    </span>
  )
}
