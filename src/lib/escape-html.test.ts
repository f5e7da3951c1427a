import { expect, it } from 'vitest'
import { escapeHtml } from './escape-html.ts'

it('leaves nothing that HTML would read as markup', () => {
  expect(escapeHtml(`<a title='x' href="?a&b">`)).toBe(
    '&lt;a title=&#39;x&#39; href=&quot;?a&amp;b&quot;&gt;',
  )
  expect(escapeHtml('&amp;')).toBe('&amp;amp;')
})
