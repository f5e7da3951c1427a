import fc from 'fast-check'
import { PLATFORM_FACTS, PLATFORMS, POST_KINDS } from '../../../src/domain/platforms.ts'
import { typedHandle } from './accounts.ts'
import type { DescribedOperation } from './described-operations.ts'
import { oddText } from './odd-values.ts'
import { ndjson } from './people.ts'
import type { RawBodies } from './request-arbitrary.ts'
import { someDay, type Vocabulary } from './schema-arbitrary.ts'
import { stack } from './stack.ts'
import { firstCursor } from './strangers.ts'
import { pathOf, type Things } from './things.ts'

/** What the API's names mean, where their schemas say no more than that they are texts. */

const TIMEZONES = ['UTC', 'Europe/Berlin', 'America/St_Johns', 'Asia/Kathmandu', 'Pacific/Apia', 'Etc/GMT+12']

/** Who is there on the simulated platforms. */
const BLUESKY = ['spokeandchain.example.social', 'imanivale.example.social', 'isobardesk.example.org']
const MASTODON = ['kestrelobs', 'opentrail', 'ferrocast']

/** A few of them, separated by commas. */
const some = (...items: string[]) =>
  fc.array(fc.constantFrom(...items), { minLength: 1, maxLength: 3 }).map((chosen) => chosen.join(','))

const AUTHORIZE = 'POST /api/v1/accounts/authorizations'

/** Where people sign in, for what is about that; else the two more often that need nothing. */
function platformFor({ name }: DescribedOperation) {
  const bySigningIn = PLATFORMS.filter((platform) => PLATFORM_FACTS[platform].connects === 'oauth')
  return name === AUTHORIZE
    ? fc.constantFrom(...bySigningIn, ...bySigningIn, 'bluesky')
    : fc.constantFrom('bluesky', 'mastodon', 'bluesky', 'mastodon', ...PLATFORMS)
}

/** Words with which a request says something about these things. */
export async function vocabularyOf(operation: DescribedOperation, things: Things): Promise<Vocabulary> {
  const { ids, person } = things
  const { accounts = '', hashtags = '' } = ids
  const nobodys = crypto.randomUUID()
  // Most of what begins an authorization is refused for its shape: what is left should find something.
  const others = operation.name === AUTHORIZE ? [] : [nobodys]
  const ownOrNot = (collection: string) => fc.constantFrom(ids[collection] ?? nobodys, ...others)
  return {
    accounts: some(accounts, accounts, nobodys),
    actors: some(ids.members ?? nobodys, nobodys),
    actions: some('account.changed', 'import.started'),
    brands: some(ids.brands ?? nobodys, nobodys),
    userId: ownOrNot('members'),
    token: fc.constantFrom(things.invitationToken, 'A'.repeat(43)),
    brandId: ownOrNot('brands'),
    brandIds: ownOrNot('brands'),
    accountId: ownOrNot('accounts'),
    externalIds: fc.constantFrom('UCexample', '12345'),
    platform: platformFor(operation),
    platforms: some(...PLATFORMS),
    kinds: some(...POST_KINDS),
    hashtags: some(hashtags, 'Other', '#tag'),
    q: fc.constantFrom(hashtags, 'number', '100%', '_'),
    from: someDay,
    to: someDay,
    timezone: fc.constantFrom(...TIMEZONES),
    limit: fc.constantFrom('1', '2', '25', '100', '0', '101', '007'),
    minGeneration: fc.constantFrom('0', '1', '5', '9007199254740991', '9007199254740992'),
    handle: fc.constantFrom(
      ...BLUESKY,
      ...MASTODON.map((handle) => typedHandle('mastodon', handle)),
      'nobody-at-all.example.social',
      typedHandle('mastodon', 'nobody'),
      `@someone@${stack.mastodonHost}`,
      `http://${stack.mastodonHost}/@someone`,
      'not a handle',
    ),
    email: fc.constantFrom(person.email, 'nobody@example.com', 'a@b', 'ä@ö.example'),
    cursor: await cursorsOf(operation, things),
  }
}

/** A position in the list, and what has been done to it. */
async function cursorsOf(
  operation: DescribedOperation,
  { ids, person }: Things,
): Promise<fc.Arbitrary<string>> {
  const cursor = operation.method === 'GET' ? await firstCursor(person.key, pathOf(operation, ids)) : null
  if (cursor === null) return fc.constant('YQ.YQ')
  const last = cursor.length - 1
  return fc.oneof(
    fc.constant(cursor),
    fc.constantFrom(
      `${cursor}=`,
      `${cursor}.x`,
      cursor.slice(1),
      cursor.split('.')[0] ?? '',
      cursor.toUpperCase(),
    ),
    fc
      .tuple(fc.integer({ min: 0, max: last }), fc.constantFrom('A', '_', '.'))
      .map(([at, one]) => cursor.slice(0, at) + one + cursor.slice(at + 1)),
  )
}

const post = fc.record(
  {
    post_id: fc.oneof(fc.constantFrom('identity-1', 'p1', 'p2'), oddText),
    posted_at: fc.oneof(fc.constantFrom('2026-11-01T10:00:00Z', '2026-11-01', '1', 'yesterday'), oddText),
    text: oddText,
    permalink: fc.oneof(fc.webUrl(), oddText),
    kind: fc.oneof(fc.constantFrom(...POST_KINDS), oddText),
    likes: fc.oneof(fc.nat(), fc.constantFrom<unknown>(-1, 0.5, 1e21, 2 ** 53, 2 ** 63, '12', '1e3', null)),
    views: fc.constantFrom<unknown>(0, '', '１２', true, [], {}),
    metrics_at: fc.oneof(fc.constantFrom('2026-11-02T10:00:00Z', '9999-12-31T23:59:59Z'), oddText),
    account: fc.oneof(fc.constantFrom('identity', '@other'), oddText),
  },
  { requiredKeys: ['post_id', 'posted_at'], noNullPrototype: true },
)
const csvCell = oddText.map((text) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text))
const csv = fc
  .array(fc.array(csvCell, { minLength: 1, maxLength: 4 }), { maxLength: 5 })
  .map((rows) => ['post_id,posted_at,text,likes', ...rows.map((row) => row.join(','))].join('\r\n'))

/** Bodies that are no JSON, which the description tells of in words alone. */
export const RAW_BODIES: RawBodies = {
  'POST /api/v1/imports': fc.oneof(
    fc.array(post, { maxLength: 4 }).map((rows) => ({ type: 'application/x-ndjson', text: ndjson(rows) })),
    csv.map((text) => ({ type: 'text/csv', text })),
    oddText.map((text) => ({ type: 'application/x-ndjson', text })),
    fc
      .constantFrom(
        `"${'x'.repeat(1_000_000)}`,
        `${','.repeat(100_000)}`,
        `{"a":${'['.repeat(10_000)}`,
        '\n'.repeat(100_000),
      )
      .map((text) => ({ type: 'text/csv', text })),
  ),
}
