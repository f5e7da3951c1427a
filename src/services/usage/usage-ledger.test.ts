import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type AccountedCall, UsageLedger } from './usage-ledger.ts'

const NOW_MS = Date.parse('2026-11-22T12:00:00Z')
const WORKSPACES = ['one', 'two', 'three']

const call = (given: Partial<AccountedCall> = {}): AccountedCall => ({
  ...{ platform: 'x', host: null, credential: 'app', operation: 'posts.refresh' },
  shares: [{ workspaceId: 'one', items: 1 }],
  ...{ items: 100, units: 1, failed: false, latencyMs: 40, costMicros: 0 },
  ...given,
})

function ledgerOf(...calls: AccountedCall[]): UsageLedger {
  const ledger = new UsageLedger(() => NOW_MS)
  for (const one of calls) ledger.add(one)
  return ledger
}

describe('the account of a delivery’s calls', () => {
  it('has one row for calls of one kind, with a cost that is known only later', async () => {
    const cost = Promise.withResolvers<number>()
    const ledger = ledgerOf(
      call({ latencyMs: 30.4, costMicros: cost.promise }),
      call({ items: 7, failed: true, latencyMs: 90, costMicros: 5_000 }),
      call({ operation: 'profiles.read' }),
    )
    cost.resolve(10_000)
    const rows = await ledger.unwritten()
    expect(rows).toMatchObject([
      {
        ...{ workspaceId: 'one', at: '2026-11-22T12:00:00.000Z', operation: 'posts.refresh' },
        ...{ calls: 2, failures: 1, items: 107, units: 2 },
        ...{ costMicros: 15_000, latencyMs: 120, slowestMs: 90 },
      },
      { operation: 'profiles.read', calls: 1 },
    ])
  })

  it('is written once: what is there, and nothing that came since', async () => {
    const ledger = ledgerOf(call())
    const first = await ledger.unwritten()
    expect(await ledger.unwritten()).toEqual(first)
    ledger.add(call())
    ledger.written(first)
    const second = await ledger.unwritten()
    expect(second.map(({ calls }) => calls)).toEqual([1])
    expect(second[0]?.id).not.toBe(first[0]?.id)
    ledger.written(second)
    expect(await ledger.unwritten()).toEqual([])
  })

  it('adds up over workspaces to what was called, to the last unit', async () => {
    const shares = fc
      .array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 3 })
      .map((items) => items.map((count, i) => ({ workspaceId: WORKSPACES[i] ?? '', items: count })))
    const calls = fc.array(
      fc.tuple(
        shares,
        fc.record({
          items: fc.nat(500),
          units: fc.integer({ min: 1, max: 9 }),
          costMicros: fc.nat(2_000_000),
        }),
      ),
      { maxLength: 20 },
    )
    await fc.assert(
      fc.asyncProperty(calls, async (made) => {
        const rows = await ledgerOf(
          ...made.map(([shared, counts]) => call({ shares: shared, ...counts })),
        ).unwritten()
        const sum = (of: 'calls' | 'items' | 'units' | 'costMicros') =>
          rows.reduce((total, row) => total + row[of], 0)
        const total = (of: 'items' | 'units' | 'costMicros') =>
          made.reduce((all, [, counts]) => all + counts[of], 0)
        expect([sum('calls'), sum('items'), sum('units'), sum('costMicros')]).toEqual([
          ...[made.length, total('items'), total('units'), total('costMicros')],
        ])
      }),
      { numRuns: 50 },
    )
  })
})
