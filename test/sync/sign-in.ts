import type { Account } from '../../src/services/accounts/schemas.ts'
import { beginAuthorization } from '../../src/services/authorizations/begin-authorization.ts'
import { comeBack } from '../../src/services/authorizations/come-back.ts'
import { connectGranted } from '../../src/services/authorizations/connect-granted.ts'
import type { Engine } from './engine.ts'

/**
 * Connects somebody's account, or reads it again, as the person who signs in at its platform and agrees there.
 * @param accountId the connected account that is to be read again
 */
export async function signIn(engine: Engine, key: string, accountId?: string): Promise<Account> {
  const { ctx } = engine
  const { platform, id: externalId } = engine.person(key)
  const begun = await beginAuthorization(ctx, { platform, ...(accountId !== undefined && { accountId }) })
  const agreeing = new URL(begun.url)
  agreeing.searchParams.set('approve', externalId)
  const { headers } = await engine.answerNow(platform, agreeing)
  const back = new URL(headers.get('location') ?? '').searchParams
  const [state, code, error] = ['state', 'code', 'error'].map((name) => back.get(name) ?? undefined)
  await comeBack(
    ctx,
    { platform, state, code, error },
    { userId: 'somebody', contextIn: (workspaceId) => (workspaceId === ctx.workspace.id ? ctx : null) },
  )
  const items = await connectGranted(ctx, begun.id, { externalIds: [externalId] })
  const [account] = items
  if (account === undefined) throw new Error(`${key} was not connected`)
  return account
}
