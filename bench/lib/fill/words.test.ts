import { expect, test } from 'vitest'
import { makePhrases, PHRASES_A_POST, searchWords } from './words.ts'

const phrases = makePhrases().map((phrase) => phrase.split(' '))

/** Of posts, each made of some phrases, how many have a word. */
function shareOfPosts(word: string): number {
  const share = phrases.filter((words) => words.includes(word)).length / phrases.length
  return 1 - (1 - share) ** PHRASES_A_POST
}

test('frequent words are in about a tenth of all posts, middling ones in about a thousandth', () => {
  const { frequent, middling } = searchWords()
  for (const word of frequent) expect(shareOfPosts(word)).toSatisfy((share) => share > 0.07 && share < 0.14)
  for (const word of middling)
    expect(shareOfPosts(word)).toSatisfy((share) => share > 0.0005 && share < 0.0016)
})

test('no word that is searched for begins another one that is used, or stands in a phrase by chance', () => {
  const { frequent, middling, rare, unused } = searchWords()
  const used = new Set(phrases.flat())
  for (const word of [...frequent, ...middling])
    expect([...used].filter((other) => other.startsWith(word))).toEqual([word])
  for (const word of [...rare, ...unused])
    expect([...used].filter((other) => other.startsWith(word))).toEqual([])
})

test('texts are the same in every run', () => {
  expect(makePhrases().slice(0, 3)).toEqual(phrases.slice(0, 3).map((words) => words.join(' ')))
})
