// Runs before anything else of the page.

// Before the first paint, so that a chosen theme does not flash in after the system's.
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

// Whoever comes while a deployment spreads may be given the page in place of a script that is not there yet,
// and the browser keeps it (`_headers`). So a script that did not load is asked for past the cache, and the
// page begins again once it is one.
;(() => {
  const recover = async (src) => {
    const response = await fetch(src, { cache: 'reload' })
    if (response.headers.get('content-type')?.includes('javascript')) location.reload()
  }
  addEventListener(
    'error',
    ({ target }) => {
      if (target instanceof HTMLScriptElement) recover(target.src).catch(() => {})
    },
    true,
  )
})()
