/** What somebody who went to a platform to sign in wanted to connect; so that they can begin again. */
export interface BegunFor {
  brandId?: string
  accountId?: string
}

const keyOf = (authorizationId: string) => `tidemark.authorization.${authorizationId}`

/** Kept in this tab, which goes to the platform and comes back. */
export function rememberBegun(authorizationId: string, begun: BegunFor): void {
  try {
    sessionStorage.setItem(keyOf(authorizationId), JSON.stringify(begun))
  } catch {
    // Storage may be blocked: beginning again then begins with new accounts.
  }
}

/** Nothing where another tab, or another device, began it. */
export function recallBegun(authorizationId: string): BegunFor {
  try {
    return readBegun(JSON.parse(sessionStorage.getItem(keyOf(authorizationId)) ?? 'null'))
  } catch {
    return {}
  }
}

/** Whatever was kept, as far as it is understood. */
export function readBegun(kept: unknown): BegunFor {
  if (typeof kept !== 'object' || kept === null) return {}
  return {
    ...('brandId' in kept && typeof kept.brandId === 'string' && { brandId: kept.brandId }),
    ...('accountId' in kept && typeof kept.accountId === 'string' && { accountId: kept.accountId }),
  }
}
