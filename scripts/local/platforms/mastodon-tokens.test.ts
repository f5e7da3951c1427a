import { expect, test } from 'vitest'
import { createControlHandler } from './control.ts'
import { createMastodonHandler } from './mastodon.ts'
import { createMastodonTokens } from './mastodon-tokens.ts'
import { createStats } from './stats.ts'
import { NOON } from './test-kit.ts'
import { createWorld } from './world.ts'

function setUp() {
  const world = createWorld({ seed: 'tokens', now: () => NOON })
  const tokens = createMastodonTokens()
  const stats = { bluesky: createStats(), mastodon: createStats() }
  const handler = createMastodonHandler(world, { stats: stats.mastodon, tokens })
  const control = createControlHandler(world, { stats, mastodonHost: 'platform.test:81', tokens })
  const id = world.account('mastodon', 'radiomarea')?.id ?? ''
  const ask = async (path: string, token?: string) => {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
    const response = await handler(new Request(`http://platform.test:81${path}`, { headers }))
    const body: { error?: string; id?: string } = await response.json()
    return { status: response.status, body }
  }
  const act = async (verb: string, body: object) => {
    const init = { method: 'POST', body: JSON.stringify(body) }
    const response = await control(new Request(`http://control.test/control/${verb}`, init))
    const answer: { token?: string } = await response.json()
    return { status: response.status, token: answer.token ?? '' }
  }
  return {
    ask,
    act,
    id,
    lookup: '/api/v1/accounts/lookup?acct=radiomarea',
    whoAmI: '/api/v1/accounts/verify_credentials',
  }
}

test('a token says whose it is, until it is revoked or expires', async () => {
  const { ask, act, id, lookup, whoAmI } = setUp()
  for (const [verb, error] of [
    ['revoke-token', 'The access token was revoked'],
    ['expire-token', 'The access token expired'],
  ] as const) {
    const { token } = await act('issue-token', { account: 'radiomarea' })
    expect(await ask(whoAmI, token)).toMatchObject({ status: 200, body: { id } })
    expect((await ask(lookup, token)).status).toBe(200)
    await act(verb, { token })
    for (const path of [whoAmI, lookup])
      expect(await ask(path, token)).toEqual({ status: 401, body: { error } })
  }
  expect(await ask(lookup, 'made-up')).toEqual({
    status: 401,
    body: { error: 'The access token is invalid' },
  })
  expect((await ask(whoAmI)).status).toBe(401)
  expect((await act('revoke-token', { token: 'made-up' })).status).toBe(400)
})

test('a token may lack a scope, or be one of an application alone', async () => {
  const { ask, act, lookup, whoAmI } = setUp()
  const { token: writing } = await act('issue-token', { account: 'radiomarea', scopes: ['write'] })
  expect((await ask(lookup, writing)).status).toBe(403)
  const { token: application } = await act('issue-token', { token: 'of-an-application' })
  expect(application).toBe('of-an-application')
  expect((await ask(lookup, application)).status).toBe(200)
  expect((await ask(whoAmI, application)).status).toBe(422)
})

test('a closed server answers its users, and tells strangers no more than where somebody lives', async () => {
  const { ask, act, id, lookup } = setUp()
  const { token } = await act('issue-token', { account: 'radiomarea' })
  const { token: application } = await act('issue-token', {})
  await act('close-instance', { closed: true })
  const paths = [lookup, `/api/v1/accounts/${id}`, `/api/v1/accounts?id[]=${id}`, '/api/v1/statuses?id[]=1']
  for (const path of paths) {
    expect((await ask(path)).status).toBe(401)
    expect((await ask(path, application)).status).toBe(401)
    expect((await ask(path, token)).status).toBe(200)
  }
  const finger = '/.well-known/webfinger?resource=acct:radiomarea@platform.test:81'
  expect((await ask(finger)).status).toBe(200)
  await act('close-instance', { closed: false })
  expect((await ask(lookup)).status).toBe(200)
})
