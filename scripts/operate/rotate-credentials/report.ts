import { type RotateReport, unopened } from './rotate.ts'

/** What a rotation did, for people: one line each, and what is left to do. */
export function describeRotation(report: RotateReport, isDryRun: boolean): string {
  const { currentKeyId, rotated, overtaken, unknownKey, broken } = report
  const lines = [
    isDryRun
      ? `${named(rotated)} would be sealed with the key ${currentKeyId}; nothing was written.`
      : `${named(rotated)} sealed with the key ${currentKeyId}.`,
  ]
  if (overtaken > 0) lines.push(`${named(overtaken)} replaced or removed meanwhile, and left as they are.`)
  for (const [keyId, count] of Object.entries(unknownKey))
    lines.push(
      `${named(count)} not opened: sealed with the key ${keyId}, which CREDENTIALS_KEY does not have.`,
    )
  for (const [keyId, count] of Object.entries(broken))
    lines.push(`${named(count)} not opened: not what the key ${keyId} has sealed. Store them anew.`)
  if (unopened(report) === 0 && !isDryRun)
    lines.push('No other key is needed any more, once nothing runs that seals with one: run this again then.')
  return lines.join('\n')
}

function named(count: number): string {
  return `${count} credential${count === 1 ? '' : 's'}`
}
