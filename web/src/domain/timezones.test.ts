import { expect, it } from 'vitest'
import { timezoneChoices } from './timezones.ts'

it('offers UTC and the timezone in use, each once', () => {
  const choices = timezoneChoices('Etc/GMT+5').map(({ value }) => value)
  expect(choices).toContain('UTC')
  expect(choices).toContain('Etc/GMT+5')
  expect(choices).toContain('Europe/Berlin')
  expect(new Set(choices).size).toBe(choices.length)
})

it('shows names without their underscores', () => {
  expect(timezoneChoices('UTC')).toContainEqual({ value: 'America/New_York', label: 'America/New York' })
})
