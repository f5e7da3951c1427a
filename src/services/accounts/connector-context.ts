import { PLATFORM_FACTS, type Platform } from '../../domain/platforms.ts'
import { AppError } from '../../errors.ts'
import type { AccessToken, ConnectorContext, GatedCall, PlatformConnector } from '../../ports.ts'
import type { ServiceContext, ServiceDeps } from '../context.ts'
import { shapeOfAnswer } from '../usage/answer-shape.ts'
import { keepAnswer, lastAnswerOf } from '../usage/last-answer.ts'
import { noteMalformed } from '../usage/note-malformed.ts'
import { type Share, UsageLedger } from '../usage/usage-ledger.ts'
import { writeUsage } from '../usage/write-usage.ts'

/** @throws platform_unsupported where accounts of a platform can only be imported so far */
export async function connectorOf(
  deps: Pick<ServiceDeps, 'connectors'>,
  platform: Platform,
): Promise<PlatformConnector> {
  const connector = (await deps.connectors())[platform]
  if (connector === undefined)
    throw new AppError(
      'platform_unsupported',
      `${PLATFORM_FACTS[platform].label} accounts cannot be connected in this deployment; their posts can be imported.`,
    )
  return connector
}

/** On whose behalf calls are made, and where they are accounted for. */
export interface Caller {
  /** None: what anybody may read is read, or what the deployment's own app may. */
  accessToken?: AccessToken | undefined
  ledger: UsageLedger
  /** On platforms that charge for reads it is one workspace, which pays. */
  shares: readonly Share[]
  /** Hears of posts that a platform said nothing of; `refreshPosts` alone leaves any. */
  leaveOpen?: (postId: string) => void
  /** The share of every allowance that is left to calls that are more urgent; none by default. */
  leaves?: number
}

type CallDeps = Pick<ServiceDeps, 'gate' | 'fetchFor' | 'clock' | 'dailyBudgets'>

/** What a connector works with: the guarded fetch, a token where the account has one, the gate, the account book. */
export function connectorContext(deps: CallDeps, platform: Platform, caller: Caller): ConnectorContext {
  const { accessToken, ledger, shares, leaveOpen = () => {}, leaves = 0 } = caller
  const dailyMicros = deps.dailyBudgets[platform]
  const [first] = shares
  const payer =
    dailyMicros === undefined || first === undefined ? null : { workspaceId: first.workspaceId, dailyMicros }
  const context: ConnectorContext = {
    accessToken,
    leaveOpen,
    fetch: deps.fetchFor(platform),
    noteMalformed({ problem, part }) {
      const answer = lastAnswerOf(context)
      if (answer === null) return
      const { host, operation } = answer
      const shape = shapeOfAnswer(operation, part)
      ledger.noteMalformed({ platform, host, operation, problem, shape })
    },
    async admit(call) {
      const gated: GatedCall = { ...call, platform, payer, leaves }
      const cost = Promise.withResolvers<number>()
      const admitted = await deps.gate.admit(gated, ({ costMicros }) => cost.resolve(costMicros))
      const startedMs = deps.clock.now()
      return {
        settle(outcome) {
          keepAnswer(context, { host: call.server, operation: call.operation, body: outcome.body })
          ledger.add({
            platform,
            host: call.server,
            credential: credentialName(platform, accessToken),
            operation: call.operation,
            shares,
            items: call.items,
            units: call.rules.reduce((most, { units = 1 }) => Math.max(most, units), 1),
            failed: outcome.health !== 'ok',
            latencyMs: Math.max(0, deps.clock.now() - startedMs),
            costMicros: call.mostCostMicros === 0 ? 0 : cost.promise,
          })
          admitted.settle(outcome)
        },
      }
    },
  }
  return context
}

function credentialName(platform: Platform, accessToken: AccessToken | undefined): string {
  if (accessToken !== undefined) return `token:${accessToken.allowance}`
  return PLATFORM_FACTS[platform].connects === 'anyone' ? 'anyone' : 'app'
}

/** Calls a platform for somebody who waits; the calls are accounted for after the answer. */
export async function callFor<T>(
  ctx: ServiceContext,
  platform: Platform,
  call: (context: ConnectorContext) => Promise<T>,
  accessToken?: AccessToken,
): Promise<T> {
  const ledger = new UsageLedger(ctx.clock.now)
  const shares = [{ workspaceId: ctx.workspace.id, items: 1 }]
  const context = connectorContext(ctx, platform, { accessToken, ledger, shares })
  try {
    return await call(context)
  } catch (error) {
    ctx.waitUntil(noteMalformed(ctx, platform, context, error))
    throw error
  } finally {
    ctx.waitUntil(writeUsage(ctx, ledger))
  }
}
