import { describe, expect, test } from 'vitest'
import { runAction } from './actions.ts'
import { MINUTE_MS, NOON } from './test-kit.ts'
import { answerSchema, invalidSchema, problemSchema, setUp } from './x.test-kit.ts'

const METRICS = 'created_at,public_metrics'

describe('what X refuses', () => {
  const ids = (count: number) => Array.from({ length: count }, (_, index) => index + 1).join(',')

  test.each([
    ['/2/tweets', 'ids', 'bad_parameter'],
    [`/2/tweets?ids=${ids(101)}`, 'ids', 'too_many_ids'],
    [`/2/users?ids=${ids(101)}`, 'ids', 'too_many_ids'],
    ['/2/users/by?usernames=a%20b', 'usernames', 'bad_parameter'],
    ['/2/users/by/username/a_name_of_16_char', 'username', 'bad_parameter'],
    ['/2/tweets?ids=abc', 'ids', 'bad_parameter'],
    ['/2/tweets?ids=1&post.fields=created_at', 'post.fields', 'bad_parameter'],
    ['/2/tweets?ids=1&tweet.fields=note_post', 'tweet.fields', 'bad_parameter'],
    ['/2/users/1/tweets?max_results=4', 'max_results', 'limit_out_of_range'],
    ['/2/users/1/tweets?max_results=101', 'max_results', 'limit_out_of_range'],
    ['/2/users/1/tweets?pagination_token=7140', 'pagination_token', 'bad_cursor'],
    ['/2/users/1/tweets?since_id=x', 'since_id', 'bad_parameter'],
    ['/2/users/1/tweets?exclude=quotes', 'exclude', 'bad_parameter'],
  ])('%s is answered with 400, which names %s', async (path, parameter, violation) => {
    const { ask, stats } = setUp()
    const reply = await ask(path)
    expect(reply.status).toBe(400)
    const problem = reply.as(invalidSchema)
    expect(problem.type).toMatch(/\/problems\/invalid-request$/)
    expect(problem.errors.map(({ parameters }) => Object.keys(parameters))).toEqual([[parameter]])
    expect(Object.keys(stats.snapshot().violations)).toContain(violation)
  })

  test('is nothing where X ignores what it does not know: it is only not there', async () => {
    const { ask, world, account, stats } = setUp({ spelling: 'post', strictness: 'ignores' })
    const [entry] = world.posts(account('isobardesk'), { t: NOON, limit: 1 })
    const { data } = (await ask(`/2/tweets?ids=${entry?.id}&tweet.fields=${METRICS}`)).as(answerSchema)
    expect(Object.keys(data?.[0] ?? {})).toEqual(['id', 'text', 'edit_history_post_ids'])
    expect(stats.snapshot().violations).toEqual({ bad_parameter: 1 })
    const { data: known } = (await ask(`/2/tweets?ids=${entry?.id}&post.fields=${METRICS}`)).as(answerSchema)
    expect(known?.[0]?.public_metrics).toMatchObject({ repost_count: entry?.post.metrics.reposts })
  })

  test.each([null, 'another'])('are calls with the token %s', async (token) => {
    const { ask, stats, charges } = setUp()
    const reply = await ask('/2/users/by/username/isobardesk', token)
    expect([reply.status, reply.as(problemSchema).title]).toEqual([401, 'Unauthorized'])
    expect([stats.snapshot().violations, charges.objects(NOON)]).toEqual([{ bad_auth: 1 }, []])
  })

  test('has no answer for addresses that are not its API’s', async () => {
    const reply = await setUp().ask('/2/usage')
    expect([reply.status, reply.text]).toEqual([404, ''])
  })

  test('are calls above an endpoint’s limit, until its window ends', async () => {
    const { ask, advance } = setUp({ limits: { users: 2 } })
    const call = () => ask('/2/users/by/username/isobardesk')
    const limits = (reply: Awaited<ReturnType<typeof call>>) =>
      ['limit', 'remaining', 'reset'].map((name) => Number(reply.headers.get(`x-rate-limit-${name}`)))
    const resetAt = (NOON + 15 * MINUTE_MS) / 1_000
    expect(limits(await call())).toEqual([2, 1, resetAt])
    await call()
    const refused = await call()
    expect([refused.status, limits(refused)]).toEqual([429, [2, 0, resetAt]])
    expect(refused.as(problemSchema)).toEqual({
      title: 'Too Many Requests',
      detail: 'Too Many Requests',
      type: 'about:blank',
      status: 429,
    })
    // Another endpoint has a window of its own.
    expect((await ask('/2/users?ids=1')).status).toBe(200)
    advance(15 * MINUTE_MS)
    expect((await call()).status).toBe(200)
  })

  test('is everything when the credits are used up', async () => {
    const { ask, world, charges } = setUp()
    runAction(world, 'outage', { platform: 'x', status: 402 })
    const reply = await ask('/2/users/by/username/isobardesk')
    expect([reply.status, reply.as(problemSchema).title]).toEqual([402, 'CreditsDepleted'])
    expect(charges.objects(NOON)).toEqual([])
  })
})
