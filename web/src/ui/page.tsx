import type { ComponentChildren } from 'preact'
import { useEffect, useRef } from 'preact/hooks'

/** The path whose heading had the focus last: on the very first page the browser keeps its own. */
let announcedPath: string | null = null

/** A page: its title in the window and as the heading, which gets the focus when one arrives from another page. */
export function Page({
  title,
  lead,
  actions,
  children,
}: {
  title: string
  lead?: ComponentChildren
  actions?: ComponentChildren
  children: ComponentChildren
}) {
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    document.title = `${title} · Tidemark`
  }, [title])
  useEffect(() => {
    const { pathname } = window.location
    if (announcedPath !== null && announcedPath !== pathname) heading.current?.focus({ preventScroll: true })
    announcedPath = pathname
  }, [])
  return (
    <main id="content" class="page">
      <div class="page-head">
        <div class="page-words">
          <h1 ref={heading} tabIndex={-1}>
            {title}
          </h1>
          {lead && <p class="page-lead">{lead}</p>}
        </div>
        {actions && <div class="page-actions">{actions}</div>}
      </div>
      {children}
    </main>
  )
}

/** A part of a page with its own heading. */
export function Panel({
  title,
  aside,
  class: className = '',
  busy = false,
  children,
}: {
  title: ComponentChildren
  aside?: ComponentChildren
  class?: string
  /** Shows an older answer while the one asked for is on its way. */
  busy?: boolean
  children: ComponentChildren
}) {
  return (
    <section class={`panel ${className} ${busy ? 'is-busy' : ''}`} aria-busy={busy}>
      <header class="panel-head">
        <h2>{title}</h2>
        {aside}
      </header>
      {children}
    </section>
  )
}
