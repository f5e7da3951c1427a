import type { Call } from './call.ts'

/** Somebody who can be chosen. */
export interface Choice {
  id: string
  handle: string
  displayName: string
}

/** The page on which a person chooses the accounts that an application may read, or refuses. */
export function authorizePageHtml(call: Call, platform: string, choices: readonly Choice[]): string {
  const button = (label: string, name: string, value: string): string => {
    const url = new URL(call.url)
    url.searchParams.set(name, value)
    return `<p><a role="button" href="${escaped(url.pathname + url.search)}">${escaped(label)}</a></p>`
  }
  const everybody = choices.map(({ id }) => id).join(',')
  return `<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>Simulated ${escaped(platform)}</title></head>
<body>
<h1>Which account may be read?</h1>
${choices.map(({ id, handle, displayName }) => button(`${displayName} (@${handle})`, 'approve', id)).join('\n')}
${choices.length > 1 ? button('All of them', 'approve', everybody) : ''}
${button('Refuse', 'refuse', '1')}
</body>
</html>
`
}

function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}
