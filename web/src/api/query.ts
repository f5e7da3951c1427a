export type QueryValue = string | number | boolean | readonly string[] | null | undefined

/**
 * `?a=1&b=x,y`: lists are comma-separated, as the API takes them; empty values are left out.
 * `''` where nothing is left.
 */
export function buildQuery(query: Readonly<Record<string, QueryValue>>): string {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    const text = Array.isArray(value) ? value.join(',') : value
    if (text === null || text === undefined || text === '') continue
    search.set(name, String(text))
  }
  // A comma is legal in a query, and addresses stay readable with it.
  const text = search.toString().replaceAll('%2C', ',')
  return text === '' ? '' : `?${text}`
}
