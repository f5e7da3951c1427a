import type { ComponentChildren } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { SeaPicture, TideMark } from '../../ui/brand.tsx'

/** What surrounds the pages that need no sign-in. The heading gets the focus when it changes. */
export function AuthFrame({
  title,
  lead,
  children,
}: {
  title: string
  lead?: ComponentChildren
  children: ComponentChildren
}) {
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    document.title = `${title} · Tidemark`
    heading.current?.focus()
  }, [title])
  return (
    <div class="sign-in">
      <header class="sign-in-sea">
        <SeaPicture />
        <div class="sign-in-brand">
          <span class="wordmark">
            <TideMark size={36} />
            <span>Tidemark</span>
          </span>
          <p class="sign-in-line">What rose, what fell, and what is rising right now.</p>
        </div>
      </header>
      <main class="sign-in-main" id="content">
        <div class="sign-in-card">
          <h1 ref={heading} tabIndex={-1}>
            {title}
          </h1>
          {lead && <p class="quiet">{lead}</p>}
          {children}
        </div>
      </main>
    </div>
  )
}
