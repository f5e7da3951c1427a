import { describe, expect, it } from 'vitest'
import {
  type AccessToken,
  type CallOutcome,
  type GatedCall,
  type PlatformCall,
  PlatformError,
} from '../../ports.ts'
import { lastAnswerOf } from '../usage/last-answer.ts'
import { UsageLedger } from '../usage/usage-ledger.ts'
import { connectorContext, connectorOf } from './connector-context.ts'

const START_MS = Date.parse('2026-11-22T12:00:00Z')
const CALL: PlatformCall = {
  operation: 'posts.refresh',
  server: null,
  rules: [{ key: 'x.posts', limit: 300, windowSeconds: 900 }],
  items: 60,
  mostCostMicros: 300_000,
}
const FINE: CallOutcome = {
  ...{ health: 'ok', status: 200, signal: null, retryAfterMs: null, paid: [], body: { data: [] } },
}
const SHARES = [
  { workspaceId: 'one', items: 40 },
  { workspaceId: 'two', items: 20 },
]

/** A context whose calls are let through; `book` ends the accounting of the oldest that is not booked. */
function start(given: { accessToken?: AccessToken; dailyMicros?: number; refusal?: PlatformError } = {}) {
  const gated: GatedCall[] = []
  const outcomes: CallOutcome[] = []
  const waiting: ((costMicros: number) => void)[] = []
  let nowMs = START_MS
  const ledger = new UsageLedger(() => nowMs)
  const context = connectorContext(
    {
      clock: { now: () => nowMs },
      fetchFor: () => async () => new Response('{}'),
      dailyBudgets: given.dailyMicros === undefined ? {} : { x: given.dailyMicros },
      gate: {
        admit: async (call, onSettled) => {
          gated.push(call)
          if (given.refusal !== undefined) throw given.refusal
          waiting.push((costMicros) => onSettled?.({ call, costMicros }))
          return { settle: (outcome) => void outcomes.push(outcome) }
        },
        moneyLeft: async () => ({ spentMicros: 0, leftMicros: 0, moreAtMs: 0 }),
      },
    },
    'x',
    { accessToken: given.accessToken, ledger, shares: SHARES },
  )
  return {
    ...{ context, ledger, gated, outcomes },
    book: (costMicros: number) => waiting.shift()?.(costMicros),
    elapse: (ms: number) => {
      nowMs += ms
    },
  }
}

describe('what a connector works with', () => {
  it('asks the gate before every call, and tells it how the call went', async () => {
    const { context, gated, outcomes } = start()
    const admitted = await context.admit(CALL)
    expect(gated).toEqual([{ ...CALL, platform: 'x', payer: null, leaves: 0 }])
    expect(outcomes).toEqual([])
    admitted.settle(FINE)
    expect(outcomes).toEqual([FINE])
  })

  it('lets the workspace pay for whom it reads, where reads cost money and there is a budget', async () => {
    const { context, gated } = start({ dailyMicros: 3_000_000 })
    await context.admit(CALL)
    expect(gated[0]?.payer).toEqual({ workspaceId: 'one', dailyMicros: 3_000_000 })
  })

  it('accounts for a call when it was answered: for whom, how long, and what it cost', async () => {
    const { context, ledger, elapse, book } = start()
    const rules = CALL.rules.map((rule) => ({ ...rule, units: 3 }))
    const admitted = await context.admit({ ...CALL, rules })
    elapse(250)
    admitted.settle({ ...FINE, health: 'timeout' })
    const rows = ledger.unwritten()
    book(90_000)
    expect(await rows).toMatchObject([
      {
        ...{ workspaceId: 'one', platform: 'x', host: null, credential: 'app', operation: 'posts.refresh' },
        ...{ calls: 1, failures: 1, items: 40, units: 2, costMicros: 60_000, slowestMs: 250 },
      },
      { workspaceId: 'two', calls: 0, failures: 0, items: 20, units: 1, costMicros: 30_000 },
    ])
  })

  it('waits for no cost where there is none', async () => {
    const { context, ledger } = start()
    const admitted = await context.admit({ ...CALL, mostCostMicros: 0 })
    admitted.settle(FINE)
    expect(await ledger.unwritten()).toMatchObject([{ costMicros: 0 }, { costMicros: 0 }])
  })

  it('names an account’s own credential by its allowance, and never by itself', async () => {
    const accessToken = { value: 'secret', host: 'api.x.com', allowance: 'account-7' }
    const { context, ledger } = start({ accessToken })
    const admitted = await context.admit({ ...CALL, mostCostMicros: 0 })
    admitted.settle(FINE)
    const rows = await ledger.unwritten()
    expect(rows[0]?.credential).toBe('token:account-7')
    expect(JSON.stringify(rows)).not.toContain('secret')
  })

  it('accounts for nothing that the gate refuses', async () => {
    const refusal = new PlatformError('rate_limited', 'No.', { retryAfterMs: 5_000 })
    const { context, ledger } = start({ refusal })
    await expect(context.admit(CALL)).rejects.toBe(refusal)
    expect(await ledger.unwritten()).toEqual([])
  })

  it('remembers what was answered last, for saying what could not be understood', async () => {
    const { context } = start()
    expect(lastAnswerOf(context)).toBeNull()
    for (const body of [1, { two: 2 }]) (await context.admit(CALL)).settle({ ...FINE, body })
    expect(lastAnswerOf(context)).toEqual({ host: null, operation: 'posts.refresh', body: { two: 2 } })
  })
})

it('says of platforms without a connector that their posts can be imported', async () => {
  await expect(connectorOf({ connectors: async () => ({}) }, 'instagram')).rejects.toThrow(
    expect.objectContaining({ code: 'platform_unsupported', message: expect.stringContaining('Instagram') }),
  )
})
