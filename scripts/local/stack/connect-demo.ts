import { PLATFORM_FACTS, type Platform } from '../../../src/domain/platforms.ts'
import { AppError } from '../../../src/errors.ts'
import { connectAccount } from '../../../src/services/accounts/connect-account.ts'
import { beginAuthorization } from '../../../src/services/authorizations/begin-authorization.ts'
import { comeBack } from '../../../src/services/authorizations/come-back.ts'
import { connectGranted } from '../../../src/services/authorizations/connect-granted.ts'
import { getAuthorization } from '../../../src/services/authorizations/get-authorization.ts'
import type { ServiceContext } from '../../../src/services/context.ts'
import type { World } from '../platforms/index.ts'
import type { WebHandler } from '../platforms/platform-handler.ts'
import { typedNameOf } from '../platforms/typed.ts'
import type { Account } from '../platforms/types.ts'

/** An authorization that somebody has come back from. */
export interface Granted {
  id: string
  externalIds: string[]
}

/**
 * Lets each account of the world be read whose platform wants its owner's consent: somebody follows the address
 * there, agrees, and comes back. What accounts do not exist any more nobody can agree to.
 * @param platforms those whose accounts are wanted
 * @param handlerOf what answers there
 */
export async function authorizeDemo(
  ctx: ServiceContext,
  world: World,
  platforms: readonly Platform[],
  handlerOf: (platform: Platform) => WebHandler,
): Promise<Granted[]> {
  const granted: Granted[] = []
  for (const platform of platforms.filter(needsConsent)) {
    for (const account of world.accounts(platform)) {
      const { id, url } = await beginAuthorization(ctx, { platform })
      await comeBack(ctx, await agree(handlerOf(platform), url, account), {
        userId: 'local-stack',
        contextIn: () => ctx,
      })
      const { status, accounts } = await getAuthorization(ctx, id)
      if (status === 'granted') granted.push({ id, externalIds: accounts.map((one) => one.externalId) })
    }
  }
  return granted
}

/**
 * Connects every account of the world that there is at the context's moment: with what was granted, or by its
 * name. The first sync of each is queued.
 */
export async function connectDemo(
  ctx: ServiceContext,
  world: World,
  platforms: readonly Platform[],
  { granted, mastodonHost }: { granted: readonly Granted[]; mastodonHost: string },
): Promise<void> {
  for (const platform of platforms.filter((one) => !needsConsent(one))) {
    for (const account of world.accounts(platform)) {
      const { handle } = world.namesAt(account, ctx.clock.now())
      await connectAccount(ctx, { platform, handle: typedNameOf(account, handle, mastodonHost) }).catch(
        (error: unknown) => {
          // One that did not exist yet is left out.
          if (!(error instanceof AppError) || error.code !== 'account_not_found') throw error
        },
      )
    }
  }
  for (const { id, externalIds } of granted) await connectGranted(ctx, id, { externalIds })
}

function needsConsent(platform: Platform): boolean {
  return PLATFORM_FACTS[platform].connects === 'oauth'
}

/** Chooses the account on the platform's page, and follows the way back. */
async function agree(handler: WebHandler, address: string, account: Account) {
  const url = new URL(address)
  url.searchParams.set('approve', account.id)
  const answer = await handler(new Request(url))
  const back = new URL(answer.headers.get('location') ?? '', url).searchParams
  return {
    platform: account.platform,
    state: back.get('state') ?? undefined,
    code: back.get('code') ?? undefined,
    error: back.get('error') ?? undefined,
  }
}
