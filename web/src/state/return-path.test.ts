import { describe, expect, it } from 'vitest'
import { safeReturnPath, signInPath } from './return-path.ts'

describe('the way back after signing in', () => {
  it('keeps a deep link with its parameters', () => {
    expect(signInPath('/posts?hashtags=books')).toBe('/sign-in?next=%2Fposts%3Fhashtags%3Dbooks')
    expect(safeReturnPath('/posts?hashtags=books')).toBe('/posts?hashtags=books')
  })

  it.each([
    'https://evil.example/',
    '//evil.example',
    '/\\evil.example',
    '/a/..//evil.example',
    'javascript:alert(1)',
    '',
    null,
  ])('leads nowhere else: %s', (next) => {
    expect(safeReturnPath(next)).toBe('/')
  })

  it('does not lead from the sign-in page to the sign-in page', () => {
    expect(signInPath('/sign-in?next=%2Fposts')).toBe('/sign-in')
    expect(signInPath('/')).toBe('/sign-in')
  })
})
