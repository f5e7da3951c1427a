import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Post } from '../../../src/services/posts/schemas.ts'
import { connect, postsOf, untilComplete } from '../support/accounts.ts'
import { type Person, signUp } from '../support/people.ts'
import { holdWorld, releaseWorld, startPlanning } from '../support/stack.ts'
import { until } from '../support/wait.ts'
import { act } from '../support/world.ts'
import { chromiumPath, useBrowser } from './support/browser.ts'
import { overviewOf, untilFiguresAreOf } from './support/overview.ts'
import { keyFigure, listedPosts } from './support/page.ts'

describe.skipIf(chromiumPath === undefined)('figures in a browser (needs CHROMIUM_PATH)', () => {
  const { visit } = useBrowser()
  let person: Person

  beforeAll(async () => {
    await holdWorld()
    await startPlanning()
    person = await signUp()
    const { id } = await connect(person.key, 'bluesky', 'spokeandchain.example.social')
    await untilComplete(person.key, id)
    // What somebody else wrote cannot be liked here.
    const own = (await postsOf(person.key, id)).find(({ kind }) => kind !== 'repost')
    await act('like', { post: own?.platformPostId, count: 12 })
  })
  afterAll(releaseWorld)

  it('says for every period and reading what the API says', async () => {
    const { page } = await visit({ as: person })
    const filters = page.getByRole('search', { name: 'Period and filters' })
    const choose = (name: string) => filters.getByRole('radio', { name }).check({ force: true })
    await page.goto('/')
    await untilFiguresAreOf(page, 'period=28d&compare=previous')
    await choose('Last 90 days')
    const published = await untilFiguresAreOf(page, 'period=90d&compare=previous')
    expect(page.url()).toMatch(/\?period=90d$/)

    await until('the likes are booked', async () => {
      const { totals } = await overviewOf(page, 'period=90d&basis=gained')
      return totals.likes.value === 12 ? true : null
    })
    await choose('Gained')
    const gained = await untilFiguresAreOf(page, 'period=90d&basis=gained&compare=previous')
    expect(gained.totals.likes.value).toBeLessThan(published.totals.likes.value ?? 0)
    await keyFigure(page, 'Engagement rate').getByText('Only for what was published').waitFor()

    await choose('Last 7 days')
    await untilFiguresAreOf(page, 'period=7d&basis=gained&compare=previous')
  })

  it('sorts posts by every heading as the API does, and loads more of them', async () => {
    const { page } = await visit({ as: person })
    await page.goto('/posts')
    const shows = (what: string, ids: string[]) =>
      until(what, async () => (String(await listedPosts(page)) === String(ids) ? true : null))
    for (const [heading, sort] of [
      ['Likes', '-likes'],
      ['Engagements', '-engagements'],
      ['Post', '-postedAt'],
    ] as const) {
      const ids = (await person.key.readAll(Post, `/api/v1/posts?sort=${sort}&limit=100`)).map(({ id }) => id)
      const header = page.getByRole('columnheader', { name: heading, exact: true })
      await header.getByRole('button').click()
      await shows(`the first posts by ${heading}`, ids.slice(0, 50))
      expect(await header.getAttribute('aria-sort')).toBe('descending')
      await page.getByRole('button', { name: 'Load more posts' }).click()
      await shows(`more posts by ${heading}`, ids.slice(0, 100))
    }
  })
})
