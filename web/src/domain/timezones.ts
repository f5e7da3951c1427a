/**
 * The timezones to choose from, as they are shown: those that the browser knows, `UTC`, and the one in use
 * whatever it is.
 */
export function timezoneChoices(current: string): { value: string; label: string }[] {
  const names = new Set([...Intl.supportedValuesOf('timeZone'), 'UTC', current])
  return [...names].sort().map((value) => ({ value, label: value.replaceAll('_', ' ') }))
}
