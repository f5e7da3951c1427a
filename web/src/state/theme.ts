import { useEffect, useState } from 'preact/hooks'
import { readStored, writeStored } from './storage.ts'

/** What somebody may choose; `system` follows the system's. */
export type Theme = 'system' | 'light' | 'dark'

const changes = new EventTarget()

function isFixed(text: string | null | undefined): text is 'light' | 'dark' {
  return text === 'light' || text === 'dark'
}

function currentTheme(): Theme {
  const { theme } = document.documentElement.dataset
  return isFixed(theme) ? theme : 'system'
}

/** Shows a theme: `data-scheme` is what the style sheets look at, and always light or dark. */
function show(theme: Theme): void {
  const systemScheme = window.matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light'
  const { dataset } = document.documentElement
  dataset.theme = theme
  dataset.scheme = theme === 'system' ? systemScheme : theme
  changes.dispatchEvent(new Event('change'))
}

/** Chooses the theme for this device. */
export function setTheme(theme: Theme): void {
  writeStored('theme', theme === 'system' ? null : theme)
  show(theme)
}

/** Follows the system, and what is chosen in another tab. Called once. */
export function followTheme(): void {
  window.matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => show(currentTheme()))
  window.addEventListener('storage', (event) => {
    if (event.key !== 'tidemark.theme') return
    const stored = readStored('theme')
    show(isFixed(stored) ? stored : 'system')
  })
}

/** Calls back when colours have changed, whoever changed them. */
export function onColoursChange(listener: () => void): () => void {
  changes.addEventListener('change', listener)
  return () => changes.removeEventListener('change', listener)
}

export function useTheme(): Theme {
  const [theme, update] = useState(currentTheme)
  useEffect(() => onColoursChange(() => update(currentTheme())), [])
  return theme
}
