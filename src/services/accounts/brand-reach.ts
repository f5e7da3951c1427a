import { type FieldError, invalidRequest } from '../../errors.ts'
import { brandsOf } from '../access/reach.ts'
import type { Actor } from '../context.ts'

/**
 * What is wrong with the brand that somebody puts an account into; `null`: nothing, as far as reach goes. A
 * member who is limited to brands would lose sight of an account outside of them.
 */
export function brandBeyondReach(
  actor: Actor,
  brandId: string | null | undefined,
  pointer: string,
): FieldError | null {
  const brands = brandsOf(actor)
  if (brands === null) return null
  if (brandId == null) return { pointer, detail: 'You work within brands: name one of yours.' }
  // In the words that an unknown brand is answered with: nobody can tell which.
  return brands.includes(brandId.toLowerCase()) ? null : { pointer, detail: NO_SUCH_BRAND }
}

export const NO_SUCH_BRAND = 'There is no such brand.'

/** @throws invalid_request when the brand is beyond the actor's reach */
export function requireBrandInReach(actor: Actor, brandId: string | null | undefined): void {
  const wrong = brandBeyondReach(actor, brandId, '/brandId')
  if (wrong !== null) throw invalidRequest([wrong])
}
