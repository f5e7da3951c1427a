import fc from 'fast-check'
import { Parser } from 'htmlparser2'
import { expect, test } from 'vitest'
import { oneLine, renderMail } from './render-mail.ts'

/** What a mail program sees. */
function read(html: string) {
  const tags = new Set<string>()
  const attributes = new Set<string>()
  const links: string[] = []
  let text = ''
  const parser = new Parser(
    {
      onopentag(name, given) {
        tags.add(name)
        for (const attribute of Object.keys(given)) attributes.add(attribute)
        if (given.href !== undefined) links.push(given.href)
      },
      ontext: (piece) => {
        text += piece
      },
    },
    { decodeEntities: true },
  )
  parser.end(html)
  return { tags: [...tags].sort(), attributes: [...attributes].sort(), links, text }
}

const TAGS = ['a', 'body', 'br', 'h1', 'head', 'hr', 'html', 'main', 'meta', 'p', 'title']
const URL = 'https://tidemark.example/reset?token=a&b="c"'
const PLAIN = {
  heading: 'Hello',
  paragraphs: ['One.', 'Two.'],
  action: { label: 'Go', url: URL },
  footnote: 'Bye.',
}

test('text and HTML say the same, and both carry the link', () => {
  const { text, html } = renderMail(PLAIN)
  expect(text).toBe(`Hello\n\nOne.\n\nTwo.\n\nGo:\n${URL}\n\n-- \nBye.\n`)
  const seen = read(html)
  expect(seen.links).toEqual([URL, URL])
  for (const words of ['Hello', 'One.', 'Two.', 'Go', URL, 'Bye.']) expect(seen.text).toContain(words)
})

test('a mail that asks for nothing has no link', () => {
  const { action: _, ...rest } = PLAIN
  const { text, html } = renderMail(rest)
  expect(text).toBe('Hello\n\nOne.\n\nTwo.\n\n-- \nBye.\n')
  expect(read(html).links).toEqual([])
})

test('the HTML names its language, suits dark backgrounds and loads nothing', () => {
  const { html } = renderMail(PLAIN)
  expect(html).toContain('<html lang="en">')
  expect(html).toContain('<meta name="color-scheme" content="light dark">')
  expect(html).not.toMatch(/<(img|link|script|style)|url\(|@import/)
  // The one place with colours of its own is the button, which sets both.
  const coloured = [...html.matchAll(/style="([^"]*)"/g)].filter(([, style]) =>
    /(^|;)color:|background/.test(style ?? ''),
  )
  expect(coloured.map(([, style]) => style)).toEqual([
    expect.stringMatching(/background:#0a6a74;color:#ffffff/),
  ])
})

test('whatever strangers write stays text', () => {
  const anything = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom(
      '<script>alert(1)</script>',
      '"><img src=x onerror=alert(1)>',
      "' onclick='x",
      '</title><b>',
      '&lt;',
    ),
  )
  const expected = read(renderMail(PLAIN).html)
  fc.assert(
    fc.property(anything, anything, anything, anything, (heading, body, label, footnote) => {
      const { text, html } = renderMail({
        heading,
        paragraphs: [body],
        action: { label, url: URL },
        footnote,
      })
      const seen = read(html)
      expect(seen.tags).toEqual(TAGS)
      expect(seen.attributes).toEqual(expected.attributes)
      expect(seen.links).toEqual([URL, URL])
      expect(seen.text).toContain(oneLine(body))
      // Heading, body, label and address, the signature's mark and the footnote.
      expect(text.split('\n')).toHaveLength(10)
    }),
  )
})

test('one line is one line: no break, no control character, no turned direction', () => {
  expect(oneLine(' Ada\r\nBcc: eve@example.com\u2028x\u0000\t ')).toBe('Ada Bcc: eve@example.com x')
  expect(oneLine('\u202eecila\u2066')).toBe('ecila')
  expect(oneLine('👩‍🔬 Zoë')).toBe('👩‍🔬 Zoë')
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(oneLine(text)).not.toMatch(/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u)
    }),
  )
})
