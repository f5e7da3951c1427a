import { describe, expect, it } from 'vitest'
import { ApiError } from '../../api/http.ts'
import { emailProblem, failureSentence, fieldSentence, lengthProblem } from './form-words.ts'

const refused = (pointer: string, detail: string) =>
  new ApiError('The request is not valid.', {
    status: 400,
    code: 'invalid_request',
    fields: [{ pointer, detail }],
  })

describe('words of forms', () => {
  it('ask for a password of ten characters, as people count them', () => {
    expect(lengthProblem('')).toBe('Choose a password.')
    expect(lengthProblem('nine chrs')).toBe('Use at least 10 characters.')
    expect(lengthProblem('ten chars!')).toBeNull()
    expect(lengthProblem('🦊🐻🐼🐨🐯')).toBe('Use at least 10 characters.')
  })

  it('ask for something that can be an address', () => {
    expect(emailProblem(' ada@example.com ')).toBeNull()
    expect(emailProblem('ada')).toBe('Give an e-mail address.')
    expect(emailProblem('a da@example.com')).toBe('Give an e-mail address.')
  })

  it('say what the server says of a field, as a sentence', () => {
    expect(fieldSentence(refused('/email', 'is not an e-mail address'), 'email')).toBe(
      'This is not an e-mail address.',
    )
    expect(fieldSentence(refused('/newPassword', 'Use at least 10 characters.'), 'newPassword')).toBe(
      'Use at least 10 characters.',
    )
    expect(fieldSentence(refused('/email', 'is wrong'), 'password')).toBeUndefined()
  })

  it('say when to try again, where that is known', () => {
    const limited = (retryAfterSeconds: number | null) =>
      new ApiError('Too many requests.', { status: 429, code: 'rate_limited', retryAfterSeconds })
    expect(failureSentence(limited(90))).toBe('Too many attempts. Try again in 2 minutes.')
    expect(failureSentence(limited(null))).toBe('Too many attempts. Try again in a few minutes.')
    expect(failureSentence(refused('/email', 'is wrong'))).toBe('The request is not valid.')
  })
})
