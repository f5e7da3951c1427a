/** The timezones to choose from: those that the browser knows, `UTC`, and the one in use whatever it is. */
export function timezoneChoices(current: string): string[] {
  return [...new Set([...Intl.supportedValuesOf('timeZone'), 'UTC', current])].sort()
}
