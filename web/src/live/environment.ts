/** What the live client needs to know of the page around it. */
export interface LiveEnvironment {
  isOnline(): boolean
  isHidden(): boolean
  /** Calls back whenever either may have changed; answers how to stop that. */
  onChange(listener: () => void): () => void
}

/** The browser's own page. */
export function browserEnvironment(): LiveEnvironment {
  return {
    isOnline: () => navigator.onLine,
    isHidden: () => document.visibilityState === 'hidden',
    onChange(listener) {
      window.addEventListener('online', listener)
      window.addEventListener('offline', listener)
      document.addEventListener('visibilitychange', listener)
      return () => {
        window.removeEventListener('online', listener)
        window.removeEventListener('offline', listener)
        document.removeEventListener('visibilitychange', listener)
      }
    },
  }
}
