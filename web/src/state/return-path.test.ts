import { describe, expect, it } from 'vitest'
import { isOpenPath, isSignInPath, safeReturnPath, signInPath } from './return-path.ts'

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

  it.each(['/forgot-password', '/reset-password', '/verify-email', '/invite'])(
    'does not lead to %s, which is of no use without its link',
    (path) => {
      expect(signInPath(path)).toBe('/sign-in')
      expect(safeReturnPath(`${path}?x=1`)).toBe('/')
      expect(isOpenPath(path)).toBe(true)
      expect(isSignInPath(path)).toBe(false)
    },
  )

  it('asks for a sign-in before every other page', () => {
    for (const path of ['/', '/profile', '/settings', '/invite/x', '/sign-in-x'])
      expect(isOpenPath(path)).toBe(false)
  })
})
