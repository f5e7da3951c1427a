import { describe, expect, it } from 'vitest'
import { formatOfFile, refuseFile } from './upload.ts'

describe('files to import', () => {
  it('tells the format by the name', () => {
    expect(formatOfFile('posts.CSV')).toBe('csv')
    expect(formatOfFile('export.2026.jsonl')).toBe('ndjson')
    expect(formatOfFile('posts.ndjson')).toBe('ndjson')
    expect(formatOfFile('posts.xlsx')).toBeNull()
  })

  it('refuses what the server would refuse, without sending it', () => {
    expect(refuseFile({ name: 'posts.csv', size: 10 })).toBeNull()
    expect(refuseFile({ name: 'posts.xlsx', size: 10 })).toMatch(/\.csv/)
    expect(refuseFile({ name: 'posts.csv', size: 0 })).toMatch(/empty/)
    expect(refuseFile({ name: 'posts.csv', size: 100_000_001 })).toMatch(/100 MB/)
  })
})
