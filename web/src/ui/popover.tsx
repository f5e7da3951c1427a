import type { ComponentChildren } from 'preact'
import { useEffect, useId, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { ChevronIcon } from './icons.tsx'

interface PopoverProps {
  /** What the button says. */
  label: ComponentChildren
  /** The button's name where its content does not say it. */
  name?: string
  /** What the panel holds, for those who hear it. */
  panelLabel: string
  align?: 'start' | 'end'
  buttonClass?: string
  chevron?: boolean
  children: (close: () => void) => ComponentChildren
}

/** What stays free between a panel and the edge of the window; CSS pixels. */
const EDGE = 8

/** Moves a panel sideways until all of it can be seen. */
function keepInWindow(panel: HTMLElement): void {
  const { left, right } = panel.getBoundingClientRect()
  const beyond = right - (document.documentElement.clientWidth - EDGE)
  const shift = beyond > 0 ? -Math.min(beyond, left - EDGE) : Math.max(0, EDGE - left)
  if (shift !== 0) panel.style.translate = `${shift}px`
}

/** A button and the panel it opens; Escape, a click elsewhere or leaving it closes the panel. */
export function Popover({
  label,
  name,
  panelLabel,
  align = 'start',
  buttonClass = 'button',
  chevron = true,
  children,
}: PopoverProps) {
  const [open, setOpen] = useState(false)
  const root = useRef<HTMLDivElement>(null)
  const button = useRef<HTMLButtonElement>(null)
  const panel = useRef<HTMLElement>(null)
  const panelId = useId()

  useLayoutEffect(() => {
    if (open && panel.current !== null) keepInWindow(panel.current)
  }, [open])

  useEffect(() => {
    if (!open) return
    const outside = (event: Event) => {
      if (event.target instanceof Node && !root.current?.contains(event.target)) setOpen(false)
    }
    document.addEventListener('pointerdown', outside)
    document.addEventListener('focusin', outside)
    return () => {
      document.removeEventListener('pointerdown', outside)
      document.removeEventListener('focusin', outside)
    }
  }, [open])

  const close = () => {
    setOpen(false)
    button.current?.focus()
  }

  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: Escape closes the panel from anywhere within
    <div
      class="popover"
      ref={root}
      onKeyDown={(event) => {
        if (event.key !== 'Escape' || !open) return
        event.stopPropagation()
        close()
      }}
    >
      <button
        ref={button}
        type="button"
        class={buttonClass}
        aria-expanded={open}
        aria-controls={open ? panelId : undefined}
        aria-label={name}
        onClick={() => setOpen(!open)}
      >
        {label}
        {chevron && <ChevronIcon size={16} />}
      </button>
      {open && (
        <section ref={panel} id={panelId} class={`popover-panel popover-${align}`} aria-label={panelLabel}>
          {children(close)}
        </section>
      )}
    </div>
  )
}
