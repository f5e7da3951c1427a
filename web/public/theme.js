// Runs before the first paint, so that a chosen theme does not flash in after the system's.
;(() => {
  const root = document.documentElement
  let theme = 'system'
  try {
    const stored = localStorage.getItem('tidemark.theme')
    if (stored === 'light' || stored === 'dark') theme = stored
  } catch {
    // Storage may be blocked; the system's theme is used then.
  }
  const systemScheme = matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light'
  root.dataset.theme = theme
  root.dataset.scheme = theme === 'system' ? systemScheme : theme
})()
