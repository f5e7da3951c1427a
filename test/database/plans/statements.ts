import {
  apiKeyByHash,
  callersOf,
  listApiKeys,
  personById,
  selectApiKey,
  selectSettings,
} from '../../../src/db/queries/access.ts'
import {
  ACCOUNT_SORTS,
  accountHistory,
  brandExists,
  findByExternalId,
  listAccounts,
  selectAccount,
} from '../../../src/db/queries/accounts.ts'
import { listAudit } from '../../../src/db/queries/audit.ts'
import { brandByName, brandsAmong, listBrands, selectBrand } from '../../../src/db/queries/brands.ts'
import { publicHashtagCourse, workspaceHashtagCourse } from '../../../src/db/queries/hashtag-course.ts'
import { selectImport, selectImportErrors } from '../../../src/db/queries/imports.ts'
import { undeliveredEvents } from '../../../src/db/queries/ingest/index.ts'
import {
  listInvitations,
  memberByEmail,
  previewInvitation,
  selectInvitation,
} from '../../../src/db/queries/invitations.ts'
import { selectJob, selectJobs } from '../../../src/db/queries/jobs.ts'
import { listMembers } from '../../../src/db/queries/members.ts'
import { outboxState } from '../../../src/db/queries/ops.ts'
import {
  type Basis,
  type Cut,
  type OverviewQuery,
  overviewAccounts,
  overviewFollowers,
  overviewFollowersSeries,
  overviewSeries,
  overviewTopPosts,
  overviewTotals,
  workspaceState,
} from '../../../src/db/queries/overview.ts'
import { publicGeneration } from '../../../src/db/queries/public-generation.ts'
import { publicTrends } from '../../../src/db/queries/public-trends.ts'
import {
  platformsInUse,
  publicTagCounts,
  storedTrending,
  usableTrending,
  workspaceTagCounts,
} from '../../../src/db/queries/trending.ts'
import { selectUsage } from '../../../src/db/queries/usage.ts'
import {
  comparisonOf,
  daysBetween,
  daysOf,
  hoursOf,
  MAX_PERIOD_DAYS,
  type Period,
  periodOf,
} from '../../../src/domain/periods.ts'
import { PLATFORMS } from '../../../src/domain/platforms.ts'
import { newId } from '../../../src/lib/ids.ts'
import type { CatalogueEntry } from './catalogue-entry.ts'
import { postStatements } from './post-statements.ts'
import type { WorkspaceFacts } from './workspace-facts.ts'

const PAGE = 50
const PAGE_READ = 20 * PAGE
const DAY_MS = 86_400_000

const EVERY = { accounts: [], platforms: [], brands: [] }

/** Every statement that the API's reads issue, in the ways in which they differ. */
export function catalogue(facts: WorkspaceFacts): CatalogueEntry[] {
  return [
    ...postStatements(facts),
    ...overviewStatements(facts),
    ...hashtagStatements(facts),
    ...accountStatements(facts),
    ...recordStatements(facts),
  ]
}

function overviewStatements(facts: WorkspaceFacts): CatalogueEntry[] {
  const { workspaceId, timezone } = facts
  const newestMs = Date.parse(facts.newest)
  const day = (daysAgo: number) => new Date(newestMs - daysAgo * DAY_MS).toISOString().slice(0, 10)
  const cuts: [Cut, Period][] = [
    ['days', periodOf(day(29), day(2), timezone)],
    ['quarters', periodOf(day(29), day(2), 'Asia/Kathmandu')],
    // As long as a period may be: nothing that is sorted or summed up outgrows memory.
    ['days', periodOf(day(MAX_PERIOD_DAYS), day(1), timezone)],
    ['quarters', periodOf(day(MAX_PERIOD_DAYS), day(1), 'Asia/Kathmandu')],
    ['hours', periodOf(day(2), day(2), timezone)],
    ['hours', periodOf(day(2), day(2), 'Asia/Kathmandu')],
  ]
  const filters = { all: EVERY, 'one account': { ...EVERY, accounts: facts.accountIds.slice(0, 1) } }
  const bases: Basis[] = ['published', 'gained']
  return cuts.flatMap(([cut, period]) =>
    bases.flatMap((basis) =>
      Object.entries(filters).flatMap(([filterName, filter]): CatalogueEntry[] => {
        const comparison = comparisonOf(period, 'previous', newestMs)
        const q: OverviewQuery = { workspaceId, filter, period, comparison, basis, cut, nowIso: facts.newest }
        const buckets = cut === 'hours' ? hoursOf(period) : daysOf(period)
        const length = daysBetween(period.from, period.to)
        const named = `overview ${cut}, ${length} of ${period.timezone}, ${basis}, ${filterName}`
        const entry = (of: string, statement: CatalogueEntry['statement']): CatalogueEntry => ({
          name: `${named}: ${of}`,
          of,
          statement,
          mostRead: null,
        })
        return [
          entry('overviewAccounts', overviewAccounts(q)),
          entry('overviewTotals', overviewTotals(q)),
          entry('overviewSeries', overviewSeries(q)),
          entry('overviewFollowers', overviewFollowers(q)),
          entry('overviewFollowersSeries', overviewFollowersSeries(q, buckets)),
          entry('overviewTopPosts', overviewTopPosts(q, 5)),
        ]
      }),
    ),
  )
}

function hashtagStatements(facts: WorkspaceFacts): CatalogueEntry[] {
  const { workspaceId } = facts
  const nowMs = Date.parse(facts.newest)
  const period = {
    timezone: facts.timezone,
    start: new Date(nowMs - 28 * DAY_MS).toISOString(),
    end: facts.newest,
  }
  const windows = ['1h', '24h', '7d'] as const
  return [
    ...windows.map(
      (window): CatalogueEntry => ({
        name: `trends of the workspace, ${window}`,
        of: 'workspaceTagCounts',
        statement: workspaceTagCounts(workspaceId, { platforms: [], brands: [] }, window, nowMs),
        mostRead: null,
      }),
    ),
    ...windows.map(
      (window): CatalogueEntry => ({
        name: `public trends, ${window}`,
        of: 'publicTagCounts',
        statement: publicTagCounts([...PLATFORMS], window, nowMs),
        mostRead: null,
        outside: true,
      }),
    ),
    ...[
      { name: 'public trends, stored', sinceIso: '-infinity' },
      { name: 'public trends, not stored', sinceIso: null },
    ].map(
      ({ name, sinceIso }): CatalogueEntry => ({
        ...{ name, of: 'publicTrends', mostRead: null, outside: true },
        statement: publicTrends([], '24h', nowMs, sinceIso),
      }),
    ),
    {
      ...{ name: 'generation of the public', of: 'publicGeneration', mostRead: PAGE_READ, outside: true },
      statement: publicGeneration(),
    },
    {
      name: 'stored trends',
      of: 'storedTrending',
      statement: storedTrending(workspaceId),
      mostRead: PAGE_READ,
    },
    {
      name: 'stored trends that are usable',
      of: 'usableTrending',
      statement: usableTrending(workspaceId, '24h', { platform: 'all', sinceIso: facts.newest }),
      mostRead: PAGE_READ,
    },
    ...[facts.frequentTag, facts.rareTag].flatMap((tag): CatalogueEntry[] => [
      {
        name: `course of #${tag}`,
        of: 'workspaceHashtagCourse',
        statement: workspaceHashtagCourse(workspaceId, tag, period, 5),
        mostRead: null,
      },
      {
        name: `public course of #${tag}`,
        of: 'publicHashtagCourse',
        statement: publicHashtagCourse(tag, period, 5),
        mostRead: null,
        outside: true,
      },
    ]),
    {
      name: 'platforms in use',
      of: 'platformsInUse',
      statement: platformsInUse(workspaceId),
      mostRead: PAGE_READ,
    },
  ]
}

function accountStatements(facts: WorkspaceFacts): CatalogueEntry[] {
  const { workspaceId, accountIds } = facts
  const accountId = accountIds[0] ?? workspaceId
  const positions = {
    handle: 'm',
    '-followers': '1000',
    '-lastSyncedAt': '-infinity',
    '-createdAt': facts.newest,
  }
  const statuses = [null, 'active', 'deleted']
  return [
    ...ACCOUNT_SORTS.flatMap((sort) =>
      statuses.flatMap((status) =>
        [null, { value: positions[sort], id: accountId }].map(
          (after): CatalogueEntry => ({
            name: `accounts by ${sort}, ${status ?? 'live'}${after === null ? '' : ', deep'}`,
            of: 'listAccounts',
            statement: listAccounts(workspaceId, {
              ...{ filter: EVERY, search: null, status, sort, after, limit: PAGE, nowIso: facts.newest },
            }),
            mostRead: PAGE_READ,
          }),
        ),
      ),
    ),
    {
      name: 'stale accounts',
      of: 'listAccounts',
      statement: listAccounts(workspaceId, {
        ...{ filter: EVERY, search: null, status: null, stale: true, sort: 'handle', after: null },
        ...{ limit: PAGE, nowIso: facts.newest },
      }),
      mostRead: PAGE_READ,
    },
    {
      name: 'an account',
      of: 'selectAccount',
      statement: selectAccount(workspaceId, accountId),
      mostRead: PAGE_READ,
    },
    {
      name: 'the followers of an account',
      of: 'accountHistory',
      statement: accountHistory(workspaceId, accountId, facts.timezone, 731),
      mostRead: null,
    },
    {
      name: 'an account by its platform’s id',
      of: 'findByExternalId',
      statement: findByExternalId(workspaceId, { platform: 'bluesky', host: null, externalId: 'nobody' }),
      mostRead: PAGE_READ,
    },
    {
      name: 'whether there is a brand',
      of: 'brandExists',
      statement: brandExists(workspaceId, accountId),
      mostRead: 0,
    },
  ]
}

/** What the API keeps of its own doings, and of who may use it. */
function recordStatements(facts: WorkspaceFacts): CatalogueEntry[] {
  const { workspaceId, newest } = facts
  const id = newId()
  const person = 'nobody'
  const page = { limit: PAGE, after: null }
  const keysPage = { limit: PAGE, before: null }
  const jobsAfter = { createdAt: newest, id }
  const auditFilters = {
    all: {},
    'one person': { actors: [person] },
    'one action': { actions: ['account.connected'] },
    'some days': { from: facts.oldest, until: newest },
  }
  const small = (of: string, statement: CatalogueEntry['statement'], name = of): CatalogueEntry => ({
    name,
    of,
    statement,
    mostRead: PAGE_READ,
  })
  return [
    ...Object.entries(auditFilters).flatMap(([name, filter]) =>
      [null, { at: newest, id }].map((after) =>
        small(
          'listAudit',
          listAudit(
            workspaceId,
            { actors: [], actions: [], from: null, until: null, ...filter },
            { after, most: PAGE + 1 },
          ),
          `audit log: ${name}${after === null ? '' : ', deep'}`,
        ),
      ),
    ),
    small('selectJobs', selectJobs(workspaceId, { ...page, createdBy: null }), 'jobs'),
    small(
      'selectJobs',
      selectJobs(workspaceId, { limit: PAGE, after: jobsAfter, createdBy: person }),
      'one’s jobs, deep',
    ),
    small('selectJob', selectJob(workspaceId, id, null)),
    small('selectImport', selectImport(workspaceId, id, null)),
    small('selectImportErrors', selectImportErrors(workspaceId, id)),
    small('listMembers', listMembers(workspaceId, page, newest)),
    small('listApiKeys', listApiKeys(workspaceId, keysPage)),
    small('selectApiKey', selectApiKey(workspaceId, id)),
    small('listInvitations', listInvitations(workspaceId, keysPage, newest)),
    small('selectInvitation', selectInvitation(workspaceId, id, newest)),
    small('memberByEmail', memberByEmail(workspaceId, 'nobody@example.com')),
    small('listBrands', listBrands(workspaceId, null)),
    small('selectBrand', selectBrand(workspaceId, id)),
    small('brandsAmong', brandsAmong(workspaceId, [id])),
    small('brandByName', brandByName(workspaceId, 'Nobody')),
    small('callersOf', callersOf(workspaceId)),
    small('selectSettings', selectSettings(workspaceId)),
    small('workspaceState', workspaceState(workspaceId)),
    small('undeliveredEvents', undeliveredEvents(workspaceId)),
    {
      ...small(
        'selectUsage',
        selectUsage(workspaceId, { start: facts.oldest, end: newest, timezone: facts.timezone }),
      ),
      mostRead: null,
    },
    { ...small('personById', personById(person, person)), outside: true },
    { ...small('apiKeyByHash', apiKeyByHash('nobody')), outside: true },
    { ...small('previewInvitation', previewInvitation('nobody', newest)), outside: true },
    { ...small('outboxState', outboxState()), outside: true },
  ]
}
