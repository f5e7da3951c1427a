import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { passwordProblem } from './password-rules.ts'

const ADA = { email: 'ada.lovelace+news@example.com', name: 'Ada Lovelace' }
const problem = (password: string, person = ADA) => passwordProblem(password, person)

const REPEATED = 'Choose something else than a few characters again and again.'
const SEQUENCE = 'Choose something else than keys or characters in a row.'
const PERSONAL =
  'Choose a password that is not made of your name, your e-mail address or the name of this product.'
const COMMON = 'This is one of the passwords that are guessed first. Choose another one.'

const WELL_KNOWN = [
  ...['password123', 'Password1234', 'Password123!', 'passwordpassword', 'mypassword', 'password01'],
  ...['1234567890', '12345678910', '123456789a', '1q2w3e4r5t', 'q1w2e3r4t5', '1qaz2wsx3edc', '0987654321'],
  ...['qwertyuiop', 'qwerty12345', 'qwertyuiop123', 'asdfghjkl1', 'zxcvbnm123', 'azertyuiop', 'qazwsxedcrfv'],
  ...['1111111111', 'aaaaaaaaaa', '1212121212', 'abcabcabcabc', 'abcdefghij', '1029384756'],
  ...['iloveyou123', 'welcome123', 'letmein123', 'football123', 'superman123', 'starwars123'],
  ...['administrator', 'basketball', 'California', 'realmadrid', 'manchester', 'liverpool1', 'christopher'],
  ...['harrypotter', 'STRAWBERRY', 'playstation', 'abracadabra', 'hellokitty', 'tinkerbell', 'dragonball'],
]

const GOOD = [
  ...[
    'correct horse battery staple',
    'purple-monkey-dishwasher',
    'otter canal seventeen',
    'Mondays are for tea',
  ],
  ...['vT7#qLz0!mWx', 'k9Qw-3hTz-Lm2p', 'xK4vR9pLq2', '7c1e0b9d4a', 'HdjE8sPq0aLz', '~G5)kd.2Vm'],
  ...[
    'les sanglots longs',
    'Zwölf Boxkämpfer',
    'пароль не скажу',
    '毎朝コーヒーを二杯飲みます',
    'ναι βεβαίως όχι',
  ],
  ...['🦊🐻🐼🐨🐯🦁🐮🐷🐸🐵', 'three 3 blind mice', 'rainy-Tuesday-42', 'jumps over 2 dogs', 'nW8rYb3ZtQ6s'],
]

describe('a password', () => {
  it.each(WELL_KNOWN)('%s is refused: it is too well known', (password) => {
    expect([...password].length).toBeGreaterThanOrEqual(10)
    expect([REPEATED, SEQUENCE, COMMON]).toContain(problem(password))
  })

  it.each(GOOD)('%s is accepted', (password) => {
    expect(problem(password)).toBeNull()
  })

  it('is judged for what is wrong with it', () => {
    expect(problem('zzzzzzzzzzzz')).toBe(REPEATED)
    expect(problem('qwerty54321')).toBe(SEQUENCE)
    expect(problem('Lovelace1815')).toBe(PERSONAL)
    expect(problem('BasketBall')).toBe(COMMON)
    expect(problem('ｂａｓｋｅｔｂａｌｌ')).toBe(COMMON)
  })

  it('has 10 to 200 characters as people count them', () => {
    expect(problem('xK4vR9pLq')).toBe('Use at least 10 characters.')
    expect(problem('🦊🐻🐼🐨🐯')).toBe('Use at least 10 characters.')
    const long = 'correct horse battery '.repeat(10).slice(0, 200)
    expect(problem(long)).toBeNull()
    expect(problem(`${long}!`)).toBe('Use at most 200 characters.')
    expect(problem('🦊🐻🐼🐨🐯'.repeat(40))).toBeNull()
  })

  it.each([
    'ada.lovelace',
    'adalovelace1815',
    'Lovelace2026!',
    '!!LOVELACE!!',
    'lovelace-ada',
    'ada.lovelace@example.com',
    'Tidemark2026',
    'tidemark-lovelace-1',
  ])('%s is refused to Ada Lovelace where it is made of what is known of her', (password) => {
    expect(problem(password)).toBe(PERSONAL)
  })

  it('may mention a name in passing, and contain short ones', () => {
    expect(problem('lovelace likes long sentences')).toBeNull()
    expect(problem('ada went home early')).toBeNull()
    expect(problem('xK4vR9pLq2', { email: 'x@k.example', name: 'Xk' })).toBeNull()
  })

  it('is accepted when it is random, whoever chose it', () => {
    const random = fc.uint8Array({ minLength: 12, maxLength: 48 })
    fc.assert(
      fc.property(random, (bytes) => {
        // Shrinking and bias give zeros, which no generator of passwords does.
        fc.pre(new Set(bytes).size > 8)
        expect(problem(Buffer.from(bytes).toString('base64url'))).toBeNull()
      }),
    )
  })

  it('is refused in any capitals, when it is well known', () => {
    const anyCapitals = fc
      .tuple(fc.constantFrom(...WELL_KNOWN), fc.array(fc.boolean(), { minLength: 20, maxLength: 20 }))
      .map(([password, capitals]) =>
        [...password].map((one, at) => (capitals[at] ? one.toUpperCase() : one.toLowerCase())).join(''),
      )
    fc.assert(
      fc.property(anyCapitals, (password) => {
        expect(problem(password)).not.toBeNull()
      }),
    )
  })

  it('is refused when it is a piece of up to four characters, again and again', () => {
    const piece = fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 4 })
    fc.assert(
      fc.property(piece, fc.integer({ min: 10, max: 60 }), (text, length) => {
        expect(problem(text.repeat(length).slice(0, length))).toBe(REPEATED)
      }),
    )
  })

  it('is refused when it is a name with as many digits as it has letters, or fewer', () => {
    const letters = fc.string({
      unit: fc.constantFrom(...'abcdefghijklmnopqrstuvwxyz'),
      minLength: 10,
      maxLength: 30,
    })
    const digits = fc.string({ unit: fc.constantFrom(...'0123456789'), maxLength: 10 })
    fc.assert(
      fc.property(letters, digits, fc.boolean(), (name, digits, atEnd) => {
        const password = atEnd ? name + digits : digits + name
        expect(problem(password, { email: 'x@y.example', name: name.toUpperCase() })).not.toBeNull()
        expect(problem(password, { email: `${name}@y.example`, name: '' })).not.toBeNull()
      }),
    )
  })

  it('gets one sentence or none, whatever anybody types', () => {
    const anything = fc.string({ unit: 'binary', maxLength: 220 })
    fc.assert(
      fc.property(anything, anything, anything, (password, email, name) => {
        const sentence = problem(password, { email, name })
        expect(sentence === null || /^[A-Z].*\.$/.test(sentence)).toBe(true)
        if ([...password].length < 10) expect(sentence).toBe('Use at least 10 characters.')
        if (sentence !== null && password.length > 3) expect(sentence).not.toContain(password)
      }),
    )
  })
})
