import { isCommonPassword } from './common-passwords.ts'

/** In code points. */
export const MIN_PASSWORD_LENGTH = 10
export const MAX_PASSWORD_LENGTH = 200

/** Shorter parts of names are in too many words to mean anything. */
const MIN_PART_LENGTH = 4
/** Of names and addresses, which may be longer than anybody repeats in a password. */
const MAX_KNOWN_LENGTH = 320
/** What anybody would try here first. */
const PRODUCT = 'tidemark'

/** A password made of one short piece, again and again, is worth that piece. */
const MAX_REPEATED_LENGTH = 4

/** Shorter runs happen by chance. */
const MIN_RUN_LENGTH = 3
/** Neighbours in one of these, in either direction, are a sequence; the keys are those of common keyboards. */
const SEQUENCES = [
  'abcdefghijklmnopqrstuvwxyz',
  '01234567890',
  'qwertyuiop[]',
  "asdfghjkl;'",
  'zxcvbnm,./',
  'qwertzuiopü',
  'yxcvbnm',
  'azertyuiop',
  'qsdfghjklm',
  'wxcvbn',
  '!@#$%^&*()_+',
  '1qaz',
  '2wsx',
  '3edc',
  '4rfv',
  '5tgb',
]

/**
 * Why a password may not be chosen, as a sentence for the person who chose it; `null` where it may.
 * Capitals make no difference: whoever guesses tries them first.
 */
export function passwordProblem(password: string, person: { email: string; name: string }): string | null {
  const { length } = [...password]
  if (length < MIN_PASSWORD_LENGTH) return `Use at least ${MIN_PASSWORD_LENGTH} characters.`
  if (length > MAX_PASSWORD_LENGTH) return `Use at most ${MAX_PASSWORD_LENGTH} characters.`
  const folded = fold(password)
  const characters = [...folded]
  if (isRepetition(characters)) return 'Choose something else than a few characters again and again.'
  if (isSequence(characters)) return 'Choose something else than keys or characters in a row.'
  if (isAbout(folded, person))
    return 'Choose a password that is not made of your name, your e-mail address or the name of this product.'
  if (isCommonPassword(folded) || isCommonPassword(folded.replace(/[^\p{L}\p{N}]+$/u, '')))
    return 'This is one of the passwords that are guessed first. Choose another one.'
  return null
}

/** As those who guess see it: no difference between capitals, nor between ways to write a letter. */
function fold(text: string): string {
  return text.normalize('NFKC').toLowerCase()
}

/** Whether the characters from the first on come again in the same order, to the end. */
function isRepetition(characters: string[]): boolean {
  for (let period = 1; period <= MAX_REPEATED_LENGTH; period += 1) {
    if (characters.every((character, at) => character === characters[at % period])) return true
  }
  return false
}

/** Whether it is all runs, such as `qwerty12345` or `abc321abc321`. */
function isSequence(characters: string[]): boolean {
  for (let from = 0; from < characters.length; ) {
    const length = runLength(characters, from)
    if (length < MIN_RUN_LENGTH) return false
    from += length
  }
  return true
}

/** How many characters from a place on are equal, or neighbours in one sequence and one direction. */
function runLength(characters: string[], from: number): number {
  const follows = [
    (a: string, b: string) => a === b,
    ...SEQUENCES.flatMap((sequence) => [
      (a: string, b: string) => sequence.includes(a + b),
      (a: string, b: string) => sequence.includes(b + a),
    ]),
  ]
  const lengths = follows.map((does) => {
    let to = from + 1
    while (to < characters.length && does(characters[to - 1] ?? '', characters[to] ?? '')) to += 1
    return to - from
  })
  return Math.max(...lengths)
}

/** Whether at least half of the letters and digits are what anybody knows of the person, or of this place. */
function isAbout(folded: string, { email, name }: { email: string; name: string }): boolean {
  const letters = squeeze(folded)
  if (letters === '') return false
  const [local = '', domain = ''] = email.slice(0, MAX_KNOWN_LENGTH).split('@')
  const words = [name.slice(0, MAX_KNOWN_LENGTH), local, domain]
  const written = words.flatMap((text) => [text, ...text.split(/[^\p{L}\p{N}]+/u)])
  const parts = [PRODUCT, ...written.map((part) => squeeze(fold(part)))]
    .filter((part) => [...part].length >= MIN_PART_LENGTH)
    .sort((a, b) => b.length - a.length)
  const rest = parts.reduce((left, part) => left.replaceAll(part, ''), letters)
  return rest.length * 2 <= letters.length
}

/** Its letters and digits. */
function squeeze(text: string): string {
  return text.replace(/[^\p{L}\p{N}]+/gu, '')
}
