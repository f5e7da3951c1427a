import { identifyPlatform } from '../../../src/domain/platform-input.ts'
import type { Platform } from '../../../src/domain/platforms.ts'

export interface Recognised {
  platform: Platform
  /** Whether it can be nobody else's: a bare `name.example` may be a user name on many platforms. */
  isCertain: boolean
}

/** The platform that what was typed or pasted belongs to, so that nobody has to say it twice; `null`: it cannot be told. */
export function recognisePlatform(input: string): Recognised | null {
  // Browsers of before 2024 lack it; there people choose for themselves.
  if (!('parse' in URL)) return null
  const found = identifyPlatform(input)
  if (found === null) return null
  const isBareName = found.platform === 'bluesky' && !/[/:]/.test(input)
  return { platform: found.platform, isCertain: !isBareName }
}

/** Which platform's account this is, where another one was chosen. */
export function misplacedOn(input: string, chosen: Platform): Platform | null {
  const recognised = recognisePlatform(input)
  return recognised?.isCertain === true && recognised.platform !== chosen ? recognised.platform : null
}
