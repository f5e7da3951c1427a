import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createConnectors, type PlatformApps } from '../../src/adapters/platforms/index.ts'
import { testNetwork } from '../../src/adapters/platforms/test-network.ts'
import { PLATFORM_LIMITS } from '../../src/domain/platform-limits.ts'
import { PLATFORM_FACTS, PLATFORMS, type Platform, POST_METRICS } from '../../src/domain/platforms.ts'
import type { AccountRef, PlatformConnector } from '../../src/ports.ts'
import { checkCapabilities, PLATFORMS_DOCUMENT, withTables } from './capabilities.ts'
import { REPOSITORY } from './files.ts'

const document = withTables(await readFile(join(REPOSITORY, PLATFORMS_DOCUMENT), 'utf8'))
const lines = document.split('\n')

/** Cells of the first line that begins with these. */
function cellsOf(...first: string[]): string[] {
  const row = lines.find((line) => line.startsWith(`| ${first.join(' | ')} |`))
  return (row ?? '').split('|').map((cell) => cell.trim())
}

describe('the document', () => {
  it.each(POST_METRICS)('says of every platform whether it gives %s', (metric) => {
    expect(cellsOf(metric).slice(2, -1)).toEqual(
      PLATFORMS.map((platform) =>
        PLATFORM_FACTS[platform].measures.includes(metric) ? 'yes' : 'not available',
      ),
    )
  })

  it.each([
    ['YouTube', ['an app of the deployment', 'yes', 'no', '50', '50', '50']],
    ['LinkedIn', ['signing in there', 'no', 'no', '20', '1', '100']],
    ['X', ['an app of the deployment', 'yes', 'yes', '100', '100', '100']],
  ])('says what it takes to read %s', (label, cells) => {
    const rows = lines.filter(
      (line) => line.startsWith(`| ${label} |`) && line.endsWith(`| ${cells.at(-1)} |`),
    )
    expect(rows).toEqual([`| ${label} | ${cells.join(' | ')} |`])
  })

  it('names every limit, with the platforms that it concerns', () => {
    for (const [name, { of }] of Object.entries(PLATFORM_LIMITS)) {
      const [, , platforms, allowance, counted] = cellsOf(`\`${name}\``)
      expect([platforms, counted]).toEqual([expect.stringMatching(/^\w/), of])
      expect(allowance).toMatch(/^[\d,]+ (?:in any \d+ (?:h|min|s)|a day \([\w/]+\))$/)
    }
    expect(cellsOf('`meta.user`')[2]).toBe('Instagram, Facebook')
    expect(cellsOf('`linkedin.member`')[3]).toBe('100 a day (UTC)')
    expect(cellsOf('`bluesky.calls`')[3]).toBe('3,000 in any 5 min')
  })

  it('says why figures stay apart, and what they mean', () => {
    expect(document).toContain(`| YouTube | ${PLATFORM_FACTS.youtube.separate} |`)
    expect(document).toContain('| Reddit | shares | Crossposts. |')
  })
})

describe('checking the document', () => {
  it('accepts it as it is made, and whatever is written around the tables', () => {
    expect(checkCapabilities(document)).toEqual([])
    expect(checkCapabilities(`${document.replace('# Platforms', '# Networks')}More.\n`)).toEqual([])
  })

  it('finds the line where a table differs', () => {
    const row = lines.findIndex((line) => line.startsWith('| likes |'))
    const edited = lines.with(row, lines[row]?.replace('yes', 'no') ?? '').join('\n')
    expect(checkCapabilities(edited)).toMatchObject([{ file: PLATFORMS_DOCUMENT, line: row + 1 }])
    expect(checkCapabilities(lines.toSpliced(row, 1).join('\n'))).toMatchObject([{ line: row + 1 }])
  })

  it.each(['', '# Platforms\n', document.replace('<!-- End of what is made. -->', '')])(
    'finds that the tables have no place',
    (source) => {
      expect(checkCapabilities(source)).toMatchObject([{ line: 1 }])
      expect(() => withTables(source)).toThrow('lacks the lines')
    },
  )
})

describe('what is said of a connector', () => {
  const app = { id: 'app', secret: 'secret' }
  const apps = {
    youtube: { apiKey: 'key' },
    x: { bearerToken: 'token' },
    meta: app,
    threads: app,
    tiktok: app,
    linkedin: app,
    reddit: app,
  } satisfies PlatformApps
  /** Accounts as connectors know them, where any number will not do. */
  const ACCOUNTS: Partial<Record<Platform, Partial<AccountRef>>> = {
    mastodon: { host: 'social.example' },
    youtube: { externalId: `UC${'a'.repeat(22)}` },
    reddit: { externalId: 't2_abc12', handle: 'u/ada' },
  }
  const connectors: PlatformConnector[] = Object.values(createConnectors({ apps }))

  it.each(connectors)('agrees with how $platform is called', (connector) => {
    const { batch, connects, takesToken } = PLATFORM_FACTS[connector.platform]
    expect([connector.refreshBatchSize, connector.profileBatchSize]).toEqual([batch.posts, batch.profiles])
    expect(connector.oauth === undefined).toBe(connects !== 'oauth')
    expect(connector.tokens === undefined).toBe(takesToken !== true)
    if (connector.batchBy === 'account') expect(PLATFORM_FACTS[connector.platform].others).toBe(false)
    if (connector.batchBy === 'workspace') expect(PLATFORM_FACTS[connector.platform].paidReads).toBe(true)
  })

  it.each(connectors)('agrees with the pages of $platform', async (connector) => {
    const { platform, oauth } = connector
    // Some ask for a token of the deployment first.
    const network = testNetwork((url) =>
      url.pathname.endsWith('/access_token')
        ? { access_token: 'token', token_type: 'bearer', expires_in: 3_600 }
        : Response.json({}, { status: 503 }),
    )
    if (oauth !== undefined) network.ctx.accessToken = { value: 'token', host: oauth.apiHost, allowance: 'a' }
    const account = { externalId: '123456', host: null, handle: 'ada', ...ACCOUNTS[platform] }
    await connector.fetchPosts(network.ctx, account, null).catch(() => {})
    const listed = network.admitted.filter(({ operation }) => operation === 'posts.list')
    expect(listed).not.toEqual([])
    for (const { items } of listed) expect(items).toBeLessThanOrEqual(PLATFORM_FACTS[platform].batch.page)
  })
})
