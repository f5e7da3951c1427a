import { expect, it } from 'vitest'
import { sha256Hex } from './hash.ts'

it.each([
  // The examples of FIPS 180-4, and one beyond ASCII.
  ['', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
  ['abc', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
  [
    'abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq',
    '248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1',
  ],
  ['🌊', '8db6bed4743d5a6159e0742df0fded8377d1250420aeda292e41ffa20eba806e'],
])('hashes %j as UTF-8, in lower-case hex', async (text, hash) => {
  expect(await sha256Hex(text)).toBe(hash)
})
