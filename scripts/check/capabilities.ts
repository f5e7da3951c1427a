import { PLATFORM_LIMITS, type PlatformLimit } from '../../src/domain/platform-limits.ts'
import {
  ACCOUNT_MEASURES,
  PLATFORM_FACTS,
  PLATFORMS,
  type Platform,
  type PlatformFacts,
  POST_METRICS,
} from '../../src/domain/platforms.ts'
import type { Finding } from './finding.ts'

/** Where people read what each platform can do; the tables in it are made, the rest is written. */
export const PLATFORMS_DOCUMENT = 'docs/platforms.md'

const UPDATE = 'node scripts/check/capabilities-command.ts'
const BEGIN = `<!-- Made from src/domain/platforms.ts and src/domain/platform-limits.ts by \`${UPDATE}\`. -->`
const END = '<!-- End of what is made. -->'

const ALL = PLATFORMS.map((platform) => PLATFORM_FACTS[platform])

const CONNECTIONS: Record<PlatformFacts['connects'], string> = {
  anyone: 'nothing',
  app_key: 'an app of the deployment',
  oauth: 'signing in there',
}

/** Whom the limits of a family of names concern, where it is not one platform. */
const SHARED_LIMITS: Record<string, readonly Platform[]> = { meta: ['instagram', 'facebook'] }

/**
 * The document with its tables as they have to be.
 * @throws where its marks are missing
 */
export function withTables(source: string): string {
  const [begin, end] = [source.indexOf(BEGIN), source.indexOf(END)]
  if (begin < 0 || end < begin)
    throw new Error(`${PLATFORMS_DOCUMENT} lacks the lines "${BEGIN}" and "${END}"`)
  return `${source.slice(0, begin)}${BEGIN}\n\n${tables()}\n\n${source.slice(end)}`
}

/** Finds whether the document's tables are not what the code says. @param source its text; '' where there is none */
export function checkCapabilities(source: string): Finding[] {
  const finding = (line: number, message: string): Finding[] => [
    { file: PLATFORMS_DOCUMENT, line, rule: 'platforms', message },
  ]
  if (!source.includes(BEGIN) || source.indexOf(END) < source.indexOf(BEGIN))
    return finding(1, `lacks the lines "${BEGIN}" and "${END}"`)
  const lines = source.split('\n')
  const wanted = withTables(source).split('\n')
  const line = wanted.findIndex((text, i) => text !== lines[i])
  if (line < 0 && lines.length === wanted.length) return []
  return finding((line < 0 ? wanted.length : line) + 1, `is not what the code says: run \`${UPDATE}\``)
}

function tables(): string {
  return [
    '### Counts of posts and accounts',
    table(
      ['', ...ALL.map(({ label }) => label)],
      [
        ...POST_METRICS.map((metric) => [
          metric,
          ...ALL.map(({ measures }) => availability(measures.includes(metric))),
        ]),
        ...ACCOUNT_MEASURES.map((measure) => [
          `${measure} (account)`,
          ...ALL.map(({ accountMeasures }) => availability(accountMeasures.includes(measure))),
        ]),
      ],
    ),
    '### What has to be known of them',
    table(['Platform', 'Count', 'Caveat'], ALL.flatMap(caveatsOf)),
    '### Reading',
    table(
      [
        'Platform',
        'Needs',
        'Accounts of others',
        'Reads cost money',
        'Posts a call',
        'Profiles a call',
        'Page',
      ],
      ALL.map((facts) => [
        facts.label,
        `${CONNECTIONS[facts.connects]}${facts.takesToken ? '; a token where a server asks for one' : ''}`,
        yesNo(facts.others),
        yesNo(facts.paidReads),
        ...[facts.batch.posts, facts.batch.profiles, facts.batch.page].map(String),
      ]),
    ),
    '### Limits',
    table(
      ['Limit', 'Platform', 'Allows', 'Of'],
      Object.entries(PLATFORM_LIMITS).map(([name, limit]) => [
        `\`${name}\``,
        platformsOf(name)
          .map((platform) => PLATFORM_FACTS[platform].label)
          .join(', '),
        allowance(limit),
        limit.of,
      ]),
    ),
    '### Terms',
    table(['Platform', 'Its terms'], ALL.flatMap(termsOf)),
  ].join('\n\n')
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  return [header, header.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

function availability(is: boolean): string {
  return is ? 'yes' : 'not available'
}

function yesNo(is: boolean): string {
  return is ? 'yes' : 'no'
}

function caveatsOf({ label, caveats }: PlatformFacts): string[][] {
  return [...POST_METRICS, ...ACCOUNT_MEASURES].flatMap((name) => {
    const caveat = caveats[name]
    return caveat === undefined ? [] : [[label, name, caveat]]
  })
}

function termsOf({ label, separate, storage }: PlatformFacts): string[][] {
  return [separate, storage?.rule].flatMap((rule) => (rule === undefined ? [] : [[label, rule]]))
}

/** The platforms that a limit concerns, by what its name begins with. */
function platformsOf(name: string): readonly Platform[] {
  const [family = ''] = name.split('.')
  return SHARED_LIMITS[family] ?? PLATFORMS.filter((platform) => platform === family)
}

function allowance({ limit, windowSeconds, dayIn }: PlatformLimit): string {
  const count = limit.toLocaleString('en-US')
  return dayIn === undefined ? `${count} in any ${duration(windowSeconds)}` : `${count} a day (${dayIn})`
}

function duration(seconds: number): string {
  if (seconds % 3_600 === 0) return `${seconds / 3_600} h`
  return seconds % 60 === 0 ? `${seconds / 60} min` : `${seconds} s`
}
