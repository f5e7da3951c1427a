import { describe, expect, it } from 'vitest'
import { readAtMost } from './read-body.ts'

/** A body of so many chunks of ten bytes, and how much of it was asked for. */
function bodyOf(chunks: number) {
  const asked = { chunks: 0, cancelled: false }
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>(
    {
      pull(controller) {
        if (asked.chunks === chunks) return controller.close()
        asked.chunks += 1
        controller.enqueue(new Uint8Array(10).fill(0x61))
      },
      cancel() {
        asked.cancelled = true
      },
    },
    { highWaterMark: 0 },
  )
  return { asked, body }
}

describe('readAtMost', () => {
  it('reads a body that has as many bytes as it may have', async () => {
    expect(await (await readAtMost(bodyOf(3).body, 30))?.text()).toBe('a'.repeat(30))
    expect((await readAtMost(null, 0))?.size).toBe(0)
    expect((await readAtMost(bodyOf(0).body, 0))?.size).toBe(0)
  })

  it('leaves a longer one as soon as it is too long', async () => {
    const { asked, body } = bodyOf(1_000)
    expect(await readAtMost(body, 29)).toBeNull()
    expect(asked).toEqual({ chunks: 3, cancelled: true })
  })

  it('fails with a body that breaks off', async () => {
    const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
      start: (controller) => controller.error(new Error('gone')),
    })
    await expect(readAtMost(body, 10)).rejects.toThrow('gone')
  })
})
