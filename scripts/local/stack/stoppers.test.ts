import { expect, test } from 'vitest'
import { createStoppers } from './stoppers.ts'

test('what was started last is stopped first, one after the other, and once', async () => {
  const events: string[] = []
  const stoppers = createStoppers(() => {})
  for (const name of ['database', 'worker']) {
    stoppers.add(name, async () => {
      events.push(`${name} stops`)
      await new Promise((resolve) => setTimeout(resolve, 5))
      events.push(`${name} stopped`)
    })
  }
  await Promise.all([stoppers.stop(), stoppers.stop()])
  expect(events).toEqual(['worker stops', 'worker stopped', 'database stops', 'database stopped'])
})

test('one that does not stop in order is named, and does not keep the others', async () => {
  const lines: string[] = []
  let isStopped = false
  const stoppers = createStoppers((line) => lines.push(line))
  stoppers.add('The database', () => {
    isStopped = true
  })
  stoppers.add('The Worker', () => Promise.reject(new Error('it hangs')))
  await stoppers.stop()
  expect(lines).toEqual(['The Worker did not stop in order: it hangs'])
  expect(isStopped).toBe(true)
})
