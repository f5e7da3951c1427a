import { selectUsage, type UsageDay } from '../../db/queries/usage.ts'
import type { Period } from '../../domain/periods.ts'
import { PLATFORMS } from '../../domain/platforms.ts'
import type { ServiceContext } from '../context.ts'
import { requirePermission } from '../permissions.ts'
import type { Usage } from './schemas.ts'

const MICROS_PER_USD = 1_000_000

/** What the workspace called in a period, by platform and day, and what it may still spend. */
export async function readUsage(ctx: ServiceContext, period: Period): Promise<Usage> {
  requirePermission(ctx.actor, 'usage.read')
  const { from, to, timezone, start, end } = period
  const workspaceId = ctx.workspace.id
  const [[rows], budgets] = await Promise.all([
    ctx.db.inWorkspace(workspaceId, [selectUsage(workspaceId, { start, end, timezone })]),
    readBudgets(ctx),
  ])
  const byPlatform = Map.groupBy(rows, ({ platform }) => platform)
  return {
    period: { from, to, timezone },
    platforms: PLATFORMS.flatMap((platform) => {
      const days = byPlatform.get(platform)
      if (days === undefined) return []
      const sum = (of: (day: UsageDay) => number) => days.reduce((total, day) => total + of(day), 0)
      const calls = sum((day) => day.calls)
      return {
        platform,
        calls,
        failures: sum((day) => day.failures),
        items: sum((day) => day.items),
        units: sum((day) => day.units),
        costUsd: sum((day) => day.costMicros) / MICROS_PER_USD,
        meanLatencyMs: calls === 0 ? null : Math.round(sum((day) => day.latencyMs) / calls),
        days: days.map(({ date, calls, failures, items, units, costMicros }) => ({
          ...{ date, calls, failures, items, units },
          costUsd: costMicros / MICROS_PER_USD,
        })),
      }
    }),
    budgets,
  }
}

/** The money of platforms that charge and can be connected; its state is `null` while Redis does not answer. */
async function readBudgets(ctx: ServiceContext): Promise<Usage['budgets']> {
  const workspaceId = ctx.workspace.id
  const connectors = await ctx.connectors()
  return Promise.all(
    PLATFORMS.flatMap((platform) => {
      const dailyMicros = ctx.dailyBudgets[platform]
      if (dailyMicros === undefined || connectors[platform]?.postCostMicros === undefined) return []
      const dailyUsd = dailyMicros / MICROS_PER_USD
      return ctx.gate
        .moneyLeft(platform, { workspaceId, dailyMicros })
        .then(({ spentMicros, leftMicros, moreAtMs }) => ({
          platform,
          dailyUsd,
          spentTodayUsd: spentMicros / MICROS_PER_USD,
          leftUsd: leftMicros / MICROS_PER_USD,
          moreAt: new Date(moreAtMs).toISOString(),
        }))
        .catch((error: unknown) => {
          ctx.log.warn('budget not read', { platform, error })
          return { platform, dailyUsd, spentTodayUsd: null, leftUsd: null, moreAt: null }
        })
    }),
  )
}
