import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { runAction } from './actions.ts'
import { MINUTE_MS, NOON } from './test-kit.ts'
import { answerSchema, setUp, troubleSchema, userSchema } from './x.test-kit.ts'

const ALL = Number.POSITIVE_INFINITY
const METRICS = 'created_at,public_metrics'

describe('X users', () => {
  test('are found by name in any letter case and by id, one or many, with their true counts', async () => {
    const { ask, world, account } = setUp()
    const desk = account('isobardesk')
    const truth = world.profileAt(desk, NOON)
    const fields = 'user.fields=public_metrics,protected,created_at'
    const paths = [
      '/2/users/by/username/isobardesk',
      '/2/users/by/username/IsobarDesk',
      `/2/users/${desk.id}`,
    ]
    for (const path of paths) {
      const { data } = (await ask(`${path}?${fields}`)).as(z.object({ data: userSchema }))
      expect(data).toMatchObject({
        id: desk.id,
        name: 'Isobar Desk',
        username: 'isobardesk',
        protected: false,
        public_metrics: {
          followers_count: truth.followers,
          following_count: truth.following,
          tweet_count: truth.posts,
        },
      })
    }
    const many = z.object({ data: z.array(userSchema), errors: z.array(troubleSchema) })
    const byName = (await ask('/2/users/by?usernames=isobardesk,nobody')).as(many)
    const byId = (await ask(`/2/users?ids=${desk.id},17`)).as(many)
    expect([byName.data, byId.data]).toEqual([
      [{ id: desk.id, name: 'Isobar Desk', username: 'isobardesk' }],
      byName.data,
    ])
    expect([byName, byId].map(({ errors }) => errors[0]?.resource_id)).toEqual(['nobody', '17'])
  })

  test.each([
    ['suspend', 'Forbidden', 'has been suspended'],
    ['deactivate', 'Not Found Error', 'Could not find user'],
    ['delete-account', 'Not Found Error', 'Could not find user'],
  ])('after %s are an error in an answer that succeeds', async (verb, title, detail) => {
    const { ask, world, account } = setUp()
    runAction(world, verb, { platform: 'x', account: 'isobardesk' })
    for (const path of ['/2/users/by/username/isobardesk', `/2/users/${account('isobardesk').id}/tweets`]) {
      const reply = await ask(path)
      expect(reply.status).toBe(200)
      expect(reply.as(answerSchema).errors).toMatchObject([
        {
          title,
          detail: expect.stringContaining(detail),
          type: expect.stringMatching(/\/resource-not-found$/),
        },
      ])
    }
  })

  test('may be protected: then their profile is shown, and none of their posts', async () => {
    const { ask, world, account } = setUp({ protectedKeys: ['isobardesk'] })
    const desk = account('isobardesk')
    const { data } = (await ask(`/2/users/${desk.id}?user.fields=protected`)).as(
      z.object({ data: userSchema }),
    )
    expect(data.protected).toBe(true)
    const [entry] = world.posts(desk, { t: NOON, limit: 1 })
    for (const path of [`/2/users/${desk.id}/tweets`, `/2/tweets?ids=${entry?.id}`]) {
      const answer = (await ask(path)).as(answerSchema)
      expect(answer.data).toBeUndefined()
      expect(answer.errors?.[0]?.type).toMatch(/\/not-authorized-for-resource$/)
    }
  })
})

describe('X timelines', () => {
  test('are complete over all pages, newest first, while new posts appear', async () => {
    const { ask, world, account, advance } = setUp()
    const desk = account('isobardesk')
    const expected = world.posts(desk, { t: NOON, limit: ALL }).map(({ id }) => id)
    const seen: string[] = []
    let token: string | undefined = ''
    while (token !== undefined) {
      const page: string = token === '' ? '' : `&pagination_token=${token}`
      const { data = [], meta } = (await ask(`/2/users/${desk.id}/tweets?max_results=100${page}`)).as(
        answerSchema,
      )
      expect(meta?.result_count).toBe(data.length)
      seen.push(...data.map(({ id }) => id))
      token = meta?.next_token
      advance(20 * MINUTE_MS)
    }
    expect(seen).toEqual(expected)
  })

  test('begin above since_id and end below until_id, without what is excluded', async () => {
    const { ask, world, account } = setUp()
    const desk = account('isobardesk')
    const entries = world.posts(desk, { t: NOON, limit: 60 })
    const [newer, older] = [entries[5]?.id, entries[40]?.id]
    const path = `/2/users/${desk.id}/tweets?max_results=100&since_id=${older}&until_id=${newer}`
    const ids = async (more: string) => (await ask(path + more)).as(answerSchema).data?.map(({ id }) => id)
    const between = entries.slice(6, 40)
    expect(await ids('')).toEqual(between.map(({ id }) => id))
    const left = between.filter(({ kind }) => kind !== 'repost' && kind !== 'reply')
    expect(await ids('&exclude=retweets,replies')).toEqual(left.map(({ id }) => id))
    expect(left.length).toBeLessThan(between.length)
    const none = (await ask(`/2/users/${desk.id}/tweets?since_id=${entries[0]?.id}`)).as(answerSchema)
    expect(none).toEqual({ meta: { result_count: 0 } })
  })

  test('show of a post what was asked for, and of a repost only how often the original was', async () => {
    const { ask, world, account } = setUp()
    const desk = account('isobardesk')
    const fields = `max_results=100&tweet.fields=${METRICS},referenced_tweets,entities,attachments`
    const { data = [] } = (await ask(`/2/users/${desk.id}/tweets?${fields}`)).as(answerSchema)
    const kinds = new Set<string>()
    for (const shown of data) {
      const entry = world.entry('x', shown.id, NOON)
      if (!entry) throw new Error(`${shown.id} is nowhere`)
      kinds.add(entry.kind)
      const { likes, replies, reposts, quotes, bookmarks, views } = entry.post.metrics
      const own = entry.kind !== 'repost'
      expect(shown.public_metrics).toEqual({
        retweet_count: reposts,
        reply_count: own ? replies : 0,
        like_count: own ? likes : 0,
        quote_count: own ? quotes : 0,
        bookmark_count: own ? bookmarks : 0,
        impression_count: own ? views : 0,
      })
      const type = { post: undefined, reply: 'replied_to', quote: 'quoted', repost: 'retweeted' }[entry.kind]
      const types = z
        .array(z.looseObject({ type: z.string() }))
        .optional()
        .parse(shown.referenced_tweets)
      expect(types?.map((reference) => reference.type)).toEqual(type === undefined ? undefined : [type])
      if (!own) expect(shown.text).toMatch(/^RT @/)
    }
    expect([...kinds].sort()).toEqual(['post', 'quote', 'reply', 'repost'])
    const [bare] = (await ask(`/2/users/${desk.id}/tweets`)).as(answerSchema).data ?? []
    expect(Object.keys(bare ?? {})).toEqual(['id', 'text', 'edit_history_tweet_ids'])
  })

  test('mark up what a text holds where it stands, escaped and with links made short', async () => {
    const { ask, world, account } = setUp()
    const text = 'R&D <3 for @portwaytransit 🚋 #Größe https://example.org/a#b #2'
    runAction(world, 'publish', {
      platform: 'x',
      account: 'isobardesk',
      text,
      media: { type: 'images', alts: ['a', ''] },
    })
    const query = `max_results=5&tweet.fields=entities,attachments&expansions=attachments.media_keys&media.fields=url,alt_text`
    const { data, includes } = (await ask(`/2/users/${account('isobardesk').id}/tweets?${query}`)).as(
      answerSchema,
    )
    const shown = data?.[0]
    expect(shown?.text).toMatch(
      /^R&amp;D &lt;3 for @portwaytransit 🚋 #Größe https:\/\/t\.co\/\w+ #2 https:\/\/t\.co\/\w+$/,
    )
    const spans = z.array(z.looseObject({ start: z.int(), end: z.int() }))
    const entities = z.object({ hashtags: spans, mentions: spans, urls: spans }).parse(shown?.entities)
    const at = ({ start, end }: { start: number; end: number }) =>
      [...(shown?.text ?? '')].slice(start, end).join('')
    expect(entities.hashtags.map((span) => [at(span), span.tag])).toEqual([['#Größe', 'Größe']])
    expect(entities.mentions.map(at)).toEqual(['@portwaytransit'])
    expect(entities.urls.every((span) => at(span) === span.url)).toBe(true)
    const keys = includes?.media?.slice(0, 2).map(({ media_key }) => media_key)
    expect(shown?.attachments).toEqual({ media_keys: keys })
    expect(entities.urls.map(({ media_key }) => media_key)).toEqual([undefined, ...(keys ?? [])])
  })

  test('cut a long text, which a note holds as a whole', async () => {
    const { ask, world, account } = setUp()
    const text = `${'A long story. '.repeat(30)}#end`
    runAction(world, 'publish', { platform: 'x', account: 'isobardesk', text })
    const path = `/2/users/${account('isobardesk').id}/tweets?max_results=5&tweet.fields=note_tweet,entities`
    const shown = (await ask(path)).as(answerSchema).data?.[0]
    expect([...(shown?.text ?? '')]).toHaveLength(280)
    expect(shown?.entities).toBeUndefined()
    expect(shown?.note_tweet).toMatchObject({ text, entities: { hashtags: [{ tag: 'end' }] } })
  })

  test('end after 3,200 posts', async () => {
    const { ask, account } = setUp()
    const { id } = account('isobardesk')
    const at = NOON.toString(36)
    const page = async (listed: number) =>
      (
        await ask(`/2/users/${id}/tweets?max_results=100&pagination_token=7140${listed.toString(36)}${at}`)
      ).as(answerSchema)
    expect((await page(3_099)).meta?.next_token).toBeDefined()
    const last = await page(3_150)
    expect([last.data?.length, last.meta?.next_token]).toEqual([50, undefined])
  })
})

describe('X posts', () => {
  test('are read by id, and those that are not there are named', async () => {
    const { ask, world, account, advance } = setUp()
    const ids = world.posts(account('isobardesk'), { t: NOON, limit: 100 }).map(({ id }) => id)
    const gone = world.posts(account('isobardesk'), {
      t: NOON,
      limit: 1,
      where: ({ kind }) => kind === 'post',
    })[0]
    advance(MINUTE_MS)
    runAction(world, 'delete', { platform: 'x', post: gone?.id })
    const answer = (await ask(`/2/tweets?ids=${ids.join(',')}`)).as(answerSchema)
    expect(answer.data?.map(({ id }) => id)).toEqual(ids.filter((id) => id !== gone?.id))
    expect(answer.errors).toMatchObject([{ resource_id: gone?.id, resource_type: 'tweet', parameter: 'ids' }])
    expect((await ask('/2/tweets?ids=1')).as(answerSchema).data).toBeUndefined()
  })

  test('are charged once a UTC day, and so is what they bring along', async () => {
    const { ask, world, account, charges, advance } = setUp()
    const quote = world.posts(account('isobardesk'), {
      t: NOON,
      limit: 1,
      where: ({ kind }) => kind === 'quote',
    })[0]
    const path = `/2/tweets?ids=${quote?.id}`
    await ask(path)
    await ask(path)
    expect([charges.objects(NOON), charges.costMicros(NOON)]).toEqual([[`post:${quote?.id}`], 5_000])
    await ask(`${path}&expansions=author_id,referenced_tweets.id`)
    expect(charges.objects(NOON)).toEqual([
      `post:${quote?.id}`,
      `post:${quote?.post.quotedId}`,
      `user:${account('isobardesk').id}`,
    ])
    expect(charges.costMicros(NOON)).toBe(20_000)
    const tomorrow = advance(24 * 60 * MINUTE_MS)
    await ask(path)
    expect(charges.objects(tomorrow)).toEqual([`post:${quote?.id}`])
  })
})
