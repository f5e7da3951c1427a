import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { htmlToText } from './html-text.ts'

describe('htmlToText', () => {
  it.each([
    ['', ''],
    ['<p>Hello</p>', 'Hello'],
    ['<p>One</p><p>Two<br>Three<br/>Four</p>', 'One\n\nTwo\nThree\nFour'],
    ['<p>One</p>\n  <p>Two</p>', 'One\n\nTwo'],
    ['<p>a<br><br>b</p>', 'a\n\nb'],
    ['<p>a <br> b</p>', 'a\nb'],
    [
      '<p>Fish &amp; chips &lt;3 &#39;now&#39; &#x1F41F; &eacute; &nbsp;.</p>',
      "Fish & chips <3 'now' 🐟 é \u00a0.",
    ],
    ['<p>&amp;lt;b&amp;gt;</p>', '&lt;b&gt;'],
    [
      '<p>Hi <a href="https://social.example/tags/DataViz" class="mention hashtag" rel="tag">#<span>DataViz</span></a>!</p>',
      'Hi #DataViz!',
    ],
    [
      '<p><a href="https://example.com/a/b"><span class="invisible">https://</span><span class="ellipsis">example.com/</span><span class="invisible">a/b</span></a></p>',
      'https://example.com/a/b',
    ],
    [
      '<p class="quote-inline">RE: <a href="https://a.example/1"><span class="invisible">https://</span>a.example/1<br></a></p><p>True!</p>',
      'True!',
    ],
    ['<p>RE: <span class="quote-inline-not">kept</span></p>', 'RE: kept'],
    ['<ul><li>One</li><li>Two</li></ul><p>End</p>', 'One\nTwo\n\nEnd'],
    ['<blockquote><p>Said</p></blockquote><p>Answered</p>', 'Said\n\nAnswered'],
    ['<pre><code>a  b\n  c</code></pre><p>x  y</p>', 'a  b\n  c\n\nx y'],
    ['plain text', 'plain text'],
    ['a < b and c > d', 'a < b and c > d'],
    ['<p>unclosed <b>bold', 'unclosed bold'],
    ['<p>no<script>alert(1)</script><style>p{}</style></p>', 'no'],
    ['<!-- hidden --><p>shown</p>', 'shown'],
    ['<p>nul\u0000 and \ud800 half</p>', 'nul and \ufffd half'],
    ['<p>two</p><p></p><p>blocks</p>', 'two\n\nblocks'],
  ])('turns %j into %j', (html, text) => {
    expect(htmlToText(html)).toBe(text)
  })

  it('gives back any text that was escaped into a paragraph', () => {
    const word = fc.string({ unit: 'grapheme', minLength: 1 }).map((text) => text.replace(/[\s\p{C}]/gu, 'x'))
    fc.assert(
      fc.property(fc.array(word, { minLength: 1 }), (words) => {
        const text = words.join(' ')
        const html = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
        expect(htmlToText(`<p>${html}</p>`)).toBe(text)
      }),
    )
  })

  it('takes time in proportion to the HTML, also for a hostile one', () => {
    const startedAt = performance.now()
    htmlToText(`<p>${'x '.repeat(200_000)}${'<br> '.repeat(200_000)}${'<b>'.repeat(20_000)}y`)
    expect(performance.now() - startedAt).toBeLessThan(3_000)
  })
})
