import type { ComponentChildren } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { buildQuery, type QueryValue } from '../api/query.ts'

export interface Location {
  path: string
  search: URLSearchParams
}

function read(): Location {
  return { path: window.location.pathname, search: new URLSearchParams(window.location.search) }
}

const listeners = new Set<() => void>()

/** Goes to an address of this page. `replace` leaves no step behind to go back to. */
export function navigate(to: string, options: { replace?: boolean; keepScroll?: boolean } = {}): void {
  const here = window.location.pathname + window.location.search
  if (to !== here) {
    if (options.replace) window.history.replaceState(null, '', to)
    else window.history.pushState(null, '', to)
  }
  for (const listener of listeners) listener()
  if (!options.keepScroll) window.scrollTo(0, 0)
}

/** The same page with other parameters: a filter was changed, so the reader stays where they are. */
export function replaceSearch(query: Readonly<Record<string, QueryValue>>): void {
  navigate(window.location.pathname + buildQuery(query), { replace: true, keepScroll: true })
}

/** Where the reader is; renders again when that changes. */
export function useLocation(): Location {
  const [location, setLocation] = useState(read)
  useEffect(() => {
    const update = () => setLocation(read())
    listeners.add(update)
    window.addEventListener('popstate', update)
    // The address may have changed between the first rendering and this effect.
    update()
    return () => {
      listeners.delete(update)
      window.removeEventListener('popstate', update)
    }
  }, [])
  return location
}

interface LinkProps {
  href: string
  class?: string
  title?: string
  'aria-label'?: string
  'aria-current'?: 'page' | 'true' | undefined
  /** Also called when the browser follows the link itself. */
  onClick?: () => void
  children: ComponentChildren
}

/** A link that stays within the page; with a modifier key the browser does as always. */
export function Link({ href, children, onClick, ...rest }: LinkProps) {
  return (
    <a
      {...rest}
      href={href}
      onClick={(event) => {
        onClick?.()
        const modified =
          event.metaKey || event.ctrlKey || event.shiftKey || event.altKey || event.button !== 0
        if (event.defaultPrevented || modified) return
        event.preventDefault()
        navigate(href)
      }}
    >
      {children}
    </a>
  )
}
