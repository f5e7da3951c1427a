/** Small things kept on this device. Storage may be blocked; the page works without it. */
export function readStored(key: string): string | null {
  try {
    return localStorage.getItem(`tidemark.${key}`)
  } catch {
    return null
  }
}

/** `null` forgets. */
export function writeStored(key: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(`tidemark.${key}`)
    else localStorage.setItem(`tidemark.${key}`, value)
  } catch {
    // Nothing to do: it lasts until the page is closed.
  }
}
