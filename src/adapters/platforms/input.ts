import { identifyPlatform, platformOfAddress } from '../../domain/platform-input.ts'
import { PLATFORM_FACTS, type Platform } from '../../domain/platforms.ts'
import { PlatformError } from '../../ports.ts'

/** A name as copying leaves it: white space around it, and invisible direction marks. */
function tidyName(input: string): string {
  return input
    .normalize('NFC')
    .replace(/\p{Cf}/gu, '')
    .trim()
}

/**
 * How `platform` calls the account that a person typed or pasted: as `identifyPlatform` names it, or, of a bare
 * name, what `bareName` matches (without a leading `@`). `null` where it names no account there.
 */
export function readAccountName(input: string, platform: Platform, bareName: RegExp): string | null {
  const identified = identifyPlatform(input)
  if (identified?.platform === platform) return identified.name
  const name = tidyName(input).replace(/^[@＠]/u, '')
  return bareName.test(name) ? name : null
}

/**
 * The error for an input that names no account of `platform`: it says which platform's it is, where that can be
 * told, else `hint`.
 */
export function refuseInput(input: string, platform: Platform, hint: string): PlatformError {
  const other = identifyPlatform(input)?.platform ?? platformOfAddress(input)
  if (other === null || other === platform) return new PlatformError('bad_request', hint)
  const { label } = PLATFORM_FACTS[other]
  const article = /^(?:[aeio]|x$)/iu.test(label) ? 'an' : 'a'
  return new PlatformError('bad_request', `This looks like ${article} ${label} address: choose ${label}.`)
}
