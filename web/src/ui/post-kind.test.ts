import { describe, expect, it } from 'vitest'
import { kindLabel, mediaLabel } from './post-kind.ts'

describe('words for posts', () => {
  it('has no word for a plain post', () => {
    expect(kindLabel('post')).toBeNull()
    expect(kindLabel('quote')).toBe('Quote')
  })

  it('counts what is attached', () => {
    expect(mediaLabel([])).toBeNull()
    expect(mediaLabel([{ type: 'image' }])).toBe('Image')
    expect(mediaLabel([{ type: 'image' }, { type: 'image' }, { type: 'link' }])).toBe('2 images, link')
    expect(mediaLabel([{ type: 'hologram' }])).toBe('Attachment')
  })
})
