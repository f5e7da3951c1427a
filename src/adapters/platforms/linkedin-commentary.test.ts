import { expect, it } from 'vitest'
import { readCommentary } from './linkedin-commentary.ts'

it.each([
  ['plain words', 'plain words', []],
  ['', '', []],
  ['Plain #DataViz and {hashtag|\\#|Maps}!', 'Plain #DataViz and #Maps!', ['DataViz', 'Maps']],
  ['glued{hashtag|\\#|maps}{hashtag|#|Charts}', 'glued#maps#Charts', ['maps', 'Charts']],
  ['no tag: \\#dataviz', 'no tag: #dataviz', []],
  ['an escape in a tag: #open\\_data', 'an escape in a tag: #open_data', ['open_data']],
  ['Thanks @[Ada \\(Charts\\)](urn:li:organization:12) \\<3', 'Thanks Ada (Charts) <3', []],
  ['Thanks @[Ada] (urn:li:person:a_B-1).', 'Thanks Ada.', []],
  ['@[a \\#tag within](urn:li:person:1)', 'a #tag within', []],
  ['\\{hashtag\\|x\\} \\@[Ada\\]', '{hashtag|x} @[Ada]', []],
  ['twice #Maps {hashtag|\\#|maps}', 'twice #Maps #maps', ['Maps']],
  ['back\\\\slash and \\n', 'back\\slash and \\n', []],
  ['half \ud800 of a pair\u0000', 'half \ufffd of a pair', []],
])('reads %j as a person does', (source, text, hashtags) => {
  expect(readCommentary(source)).toEqual({ text, hashtags })
})

it('leaves what only looks like markup as it stands, and takes no longer for more of it', () => {
  const source = '@['.repeat(50_000)
  const startedAt = performance.now()
  expect(readCommentary(source)).toEqual({ text: source, hashtags: [] })
  expect(performance.now() - startedAt).toBeLessThan(2_000)
})
