import { z } from 'zod'
import { PLATFORMS } from '../../src/domain/platforms.ts'
import type { TestStack } from '../harness/stack.ts'
import { asNumber } from '../sync/shown.ts'
import { type Check, fieldsThatDiffer } from './check.ts'

const NAMES = ['posts', 'likes', 'comments', 'shares', 'quotes', 'saves', 'views', 'engagements'] as const
/** Longer than anybody's history. */
const PERIOD = '28d'

const Total = z.object({ value: z.number().nullable() })
const Overview = z.object({
  totals: z.object({
    ...{ posts: Total, likes: Total, comments: Total, shares: Total },
    ...{ quotes: Total, saves: Total, views: Total, engagements: Total },
  }),
})

/** What people are shown of each platform, through all caches, against plain SQL over the posts. */
export async function checkAnswers(stack: TestStack): Promise<Check> {
  const sums = NAMES.slice(1).map((name) => `sum(${name}) AS ${name}`)
  const differences: string[] = []
  for (const platform of PLATFORMS) {
    const [row = {}] = await stack.ownerSql<Record<string, unknown>>(
      `SELECT count(*) AS posts, ${sums.join(', ')} FROM posts
       WHERE workspace_id = $1 AND platform = $2 AND kind <> 'repost' AND deleted_at IS NULL`,
      [stack.workspaceId, platform],
    )
    const { totals } = await overviewOf(stack, platform)
    const shown = Object.fromEntries(NAMES.map((name) => [name, totals[name].value]))
    const expected = Object.fromEntries(NAMES.map((name) => [name, asNumber(row[name])]))
    differences.push(...fieldsThatDiffer(shown, expected).map((difference) => `${platform}: ${difference}`))
  }
  return { what: 'totals as people are shown them', compared: PLATFORMS.length * NAMES.length, differences }
}

async function overviewOf(stack: TestStack, platform: string): Promise<z.infer<typeof Overview>> {
  const [row] = await stack.ownerSql<{ generation: number }>(
    'SELECT generation::int AS generation FROM workspaces WHERE id = $1',
    [stack.workspaceId],
  )
  const query = `period=${PERIOD}&compare=none&platforms=${platform}&minGeneration=${row?.generation}`
  const response = await fetch(`${stack.url}/api/v1/dashboard/overview?${query}`, {
    headers: { authorization: `Bearer ${stack.apiKey}` },
  })
  if (!response.ok) throw new Error(`overview: ${response.status} ${await response.text()}`)
  return Overview.parse(await response.json())
}
