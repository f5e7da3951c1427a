import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Post } from '../../../src/services/posts/schemas.ts'
import { connect, postsOf, untilComplete } from '../support/accounts.ts'
import { type Person, signUp } from '../support/people.ts'
import { holdWorld, killWorker, releaseWorld, startPlanning } from '../support/stack.ts'
import { act } from '../support/world.ts'
import { chromiumPath, useBrowser } from './support/browser.ts'
import { untilFiguresAreOf } from './support/overview.ts'
import { countText, markPage, untilLiveWordsAre } from './support/page.ts'

describe.skipIf(chromiumPath === undefined)('a page that lives (needs CHROMIUM_PATH)', () => {
  const { visit } = useBrowser()
  let person: Person
  let post: Post

  beforeAll(async () => {
    await holdWorld()
    await startPlanning()
    person = await signUp()
    const { id } = await connect(person.key, 'bluesky', 'spokeandchain.example.social')
    await untilComplete(person.key, id)
    const newest = (await postsOf(person.key, id)).find(({ kind }) => kind === 'post')
    if (newest === undefined) throw new Error('There is no post')
    post = newest
  })
  afterAll(releaseWorld)

  const likes = (page: Page) =>
    page
      .getByRole('row')
      .filter({ has: page.locator(`a[href="/posts/${post.id}"]`) })
      .locator('td[data-label="Likes"]')

  async function like(count: number): Promise<string> {
    await act('like', { post: post.platformPostId, count })
    post.metrics.likes = (post.metrics.likes ?? 0) + count
    return countText(post.metrics.likes)
  }

  it('shows likes in the list and in the key figures within seconds, without being loaded anew', async () => {
    const { page: list, context, complaints } = await visit({ as: person })
    const overview = await context.newPage()
    await list.goto('/posts')
    await overview.goto('/?period=90d')
    const isSameList = await markPage(list)
    const isSameOverview = await markPage(overview)
    await untilLiveWordsAre(list, 'Live')
    await untilLiveWordsAre(overview, 'Live')
    await likes(list)
      .getByText(countText(post.metrics.likes ?? 0), { exact: true })
      .waitFor()
    const before = await untilFiguresAreOf(overview, 'period=90d')

    const after = await like(1_200)
    await likes(list).getByText(after, { exact: true }).waitFor()
    const { totals } = await untilFiguresAreOf(overview, 'period=90d')
    expect(totals.likes.value).toBe((before.totals.likes.value ?? 0) + 1_200)
    expect([await isSameList(), await isSameOverview()]).toEqual([true, true])
    expect(complaints).toEqual([])
  })

  it('says that it reconnects when the connection is lost, and catches up by itself', async () => {
    const { page } = await visit({ as: person })
    await page.goto('/posts')
    await untilLiveWordsAre(page, 'Live')
    const isSamePage = await markPage(page)

    await page.route('**/realtime/tickets', (route) => route.abort())
    await killWorker()
    await untilLiveWordsAre(page, 'Reconnecting')
    const after = await like(30)
    await page.unroute('**/realtime/tickets')
    await untilLiveWordsAre(page, 'Live', 40_000)
    await likes(page).getByText(after, { exact: true }).waitFor()
    expect(await isSamePage()).toBe(true)
  })
})
