import type { ComponentChildren } from 'preact'
import type { ApiError } from '../api/http.ts'
import { formatDuration } from '../format/dates.ts'
import { SyncIcon, WarningIcon } from './icons.tsx'

/** A grey place where something will be. Sizes come from its class, so that nothing moves afterwards. */
export function Skeleton({ class: className = '' }: { class?: string }) {
  return <span class={`skeleton ${className}`} aria-hidden="true" />
}

/** Rows of a list that is on its way. */
export function SkeletonRows({ count, class: className = '' }: { count: number; class?: string }) {
  return (
    <div class="skeleton-rows" aria-hidden="true">
      {Array.from({ length: count }, (_, i) => (
        <Skeleton key={i} class={`skeleton-row ${className}`} />
      ))}
    </div>
  )
}

/** Which parts of the request were wrong, where the API names them. */
export function FieldErrors({ error }: { error: ApiError }) {
  return (
    <>
      {error.fields.map((field) => (
        <p key={`${field.pointer} ${field.detail}`}>
          <code>{field.pointer}</code> {field.detail}
        </p>
      ))}
    </>
  )
}

/** What went wrong, and the way to try again. */
export function ErrorState({ error, retry }: { error: ApiError; retry?: (() => void) | undefined }) {
  return (
    <div class="state state-error" role="alert">
      <WarningIcon size={24} />
      <p>{error.message}</p>
      <FieldErrors error={error} />
      {error.retryAfterSeconds !== null && (
        <p class="quiet">Try again in {formatDuration(error.retryAfterSeconds)}.</p>
      )}
      {retry && (
        <button type="button" class="button" onClick={retry}>
          <SyncIcon size={16} /> Try again
        </button>
      )}
      {error.requestId !== null && <p class="quiet small">Request {error.requestId}</p>}
    </div>
  )
}

/** Nothing here, and what to do about it. */
export function EmptyState({
  icon,
  title,
  children,
}: {
  icon?: ComponentChildren
  title: string
  children?: ComponentChildren
}) {
  return (
    <div class="state">
      {icon}
      <p class="state-title">{title}</p>
      {children}
    </div>
  )
}

export type BannerTone = 'info' | 'warning' | 'bad'

/** A notice above what it is about. */
export function Banner({ tone, children }: { tone: BannerTone; children: ComponentChildren }) {
  return (
    <div class={`banner banner-${tone}`} role={tone === 'info' ? 'note' : 'status'}>
      <WarningIcon size={18} />
      <div>{children}</div>
    </div>
  )
}
