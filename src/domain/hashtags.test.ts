import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { distinctTags, extractHashtags, MAX_TAG_LENGTH, normaliseTag } from './hashtags.ts'

describe('normaliseTag', () => {
  it.each([
    ['#DataViz', 'dataviz'],
    ['＃DataViz', 'dataviz'],
    ['﹟DataViz', 'dataviz'],
    ['##DataViz ', 'dataviz'],
    [' DataViz', 'dataviz'],
    ['ＤａｔａＶｉｚ', 'dataviz'],
    ['CAFÉ', 'café'],
    ['cafe\u0301', 'café'],
    ['STRASSE', 'strasse'],
    ['straße', 'strasse'],
    ['STRAẞE', 'strasse'],
    ['ΟΔΟΣ', 'οδοσ'],
    ['οδος', 'οδοσ'],
    ['ﬁne', 'fine'],
    ['東京', '東京'],
    ['ﾃﾞｰﾀ', 'データ'],
    ['می\u200cخواهم', 'میخواهم'],
    ['Data\u00adViz\ufe0f', 'dataviz'],
    ['launch2025', 'launch2025'],
    ['a_b', 'a_b'],
    ['🎉', '🎉'],
    ['ıssız', 'ıssız'],
    ['İstanbul', 'i̇stanbul'],
    ['C++', 'c++'],
  ])('turns %j into %j', (raw, expected) => {
    expect(normaliseTag(raw)).toBe(expected)
  })

  it.each([
    '',
    '#',
    '  ',
    '2025',
    '＃２０２５',
    '٢٠٢٥',
    '_',
    '1_2',
    '½',
    '+1',
    '\u200d',
    'ㅤ',
    '1️⃣',
    'two words',
    'a,b',
    'a#b',
    'a\u0000b',
    'a\ud800',
    'a\ufffd',
  ])('takes %j for no tag', (raw) => {
    expect(normaliseTag(raw)).toBeNull()
  })

  it('counts the length in code points, and drops what is longer instead of merging its beginnings', () => {
    expect(normaliseTag('𝒳'.repeat(MAX_TAG_LENGTH))).toBe('x'.repeat(MAX_TAG_LENGTH))
    expect(normaliseTag('🎉'.repeat(MAX_TAG_LENGTH))).toBe('🎉'.repeat(MAX_TAG_LENGTH))
    expect(normaliseTag('x'.repeat(MAX_TAG_LENGTH + 1))).toBeNull()
  })

  it('is the same for every case of every letter of the two planes that have cases', () => {
    const differing: string[] = []
    for (let codePoint = 0; codePoint <= 0x1ffff; codePoint++) {
      if (codePoint >= 0xd800 && codePoint <= 0xdfff) continue
      const letter = String.fromCodePoint(codePoint)
      if (letter === 'ı') continue
      const tag = `${letter}z`
      const normalised = normaliseTag(tag)
      if (normaliseTag(tag.toUpperCase()) !== normalised || normaliseTag(tag.toLowerCase()) !== normalised)
        differing.push(`U+${codePoint.toString(16)}`)
    }
    expect(differing).toEqual([])
  })

  it('leaves what it made as it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (raw) => {
        const once = normaliseTag(raw)
        if (once !== null) expect(normaliseTag(once)).toBe(once)
      }),
      { numRuns: 2_000 },
    )
  })
})

describe('distinctTags', () => {
  it('keeps the first spelling of each tag, without its mark', () => {
    expect(distinctTags(['#DataViz', 'dataviz', 'ＤＡＴＡＶＩＺ', 'Maps', '2025', 'maps'])).toEqual([
      'DataViz',
      'Maps',
    ])
  })
})

describe('extractHashtags', () => {
  it.each([
    ['New chart! #dataviz', ['dataviz']],
    ['#DataViz, #Maps. (#OpenData) "#AI"', ['DataViz', 'Maps', 'OpenData', 'AI']],
    ['＃地図 と #東京', ['地図', '東京']],
    [
      '#café #größe #Ελλάδα #Україна #हिन्दी #ภาษาไทย #العربية',
      ['café', 'größe', 'Ελλάδα', 'Україна', 'हिन्दी', 'ภาษาไทย', 'العربية'],
    ],
    ['#می\u200cخواهم', ['می\u200cخواهم']],
    ['#ends\u200d', ['ends']],
    ['#col·lecció #ジョン・レノン', ['col·lecció', 'ジョン・レノン']],
    ['#DataViz #dataviz #DATAVIZ', ['DataViz']],
    ['#launch2025 #2025 #2025goals #_ #_x', ['launch2025', '2025goals', '_x']],
    ['#a_b-c', ['a_b']],
    ['##double', ['double']],
    ['#one#two', ['one']],
    ['it&#39;s &#x27;so&#x27;', []],
    ['word#tag 1#tag _#tag é#tag', []],
    ['https://x.y/page#top and http://x.y/#top', []],
    ['https://x.y/?q=#top https://x.y/a(b)#c', []],
    ['https://x.y/日本#語', []],
    ['see https://x.y/z #maps', ['maps']],
    ['path/#tag', []],
    ['# no, #! no, #', []],
    ['#1️⃣ #🎉 #️⃣keycap', []],
    ['line\n#next\r\n#last', ['next', 'last']],
    [`#${'x'.repeat(101)} #ok`, ['ok']],
    ['', []],
  ])('reads %j', (text, expected) => {
    expect(extractHashtags(text)).toEqual(expected)
  })

  const tag = fc
    .stringMatching(/^[\p{L}_][\p{L}\p{N}_]{0,30}$/u)
    .filter((candidate) => normaliseTag(candidate) !== null)

  it('finds every tag that stands apart, in order, whatever is around it', () => {
    fc.assert(
      fc.property(fc.array(tag), fc.constantFrom(' ', '\n', '. ', ' (', '! '), (tags, separator) => {
        const text = tags.map((name) => `#${name}`).join(separator)
        expect(extractHashtags(text)).toEqual(distinctTags(tags))
      }),
    )
  })

  it('gives only tags that are in the text and that normalise, each once', () => {
    fc.assert(
      fc.property(
        fc.string({
          unit: fc.constantFrom(
            '#',
            '＃',
            'a',
            'B',
            'é',
            '1',
            '_',
            ' ',
            '&',
            '/',
            ';',
            '・',
            '\u200c',
            '日',
            '\u0301',
            '🎉',
          ),
        }),
        (text) => {
          const found = extractHashtags(text)
          const normalised = found.map((name) => normaliseTag(name))
          expect(normalised).not.toContain(null)
          expect(new Set(normalised).size).toBe(found.length)
          for (const name of found) expect(text.normalize('NFC')).toContain(name)
        },
      ),
      { numRuns: 2_000 },
    )
  })

  it('takes time in proportion to the text, also for a hostile one', () => {
    const hostile = '#'.repeat(50_000) + '1'.repeat(50_000) + '#1'.repeat(50_000) + 'https://#'.repeat(10_000)
    const startedAt = performance.now()
    extractHashtags(hostile)
    expect(performance.now() - startedAt).toBeLessThan(2_000)
  })
})
