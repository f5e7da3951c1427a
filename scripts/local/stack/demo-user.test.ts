import { afterEach, expect, test } from 'vitest'
import { type HttpServer, listen, readBody, sendJson } from '../lib/http-server.ts'
import { DemoUserError, ensureDemoUser } from './demo-user.ts'

let server: HttpServer | undefined
afterEach(() => server?.close())

/** As much of the Worker as a person needs: people with passwords, keys with a workspace. */
async function startWorker(state: { password?: string; keys?: string[] } = {}) {
  const keys = new Set(state.keys)
  const calls: string[] = []
  let { password } = state
  server = await listen(async (req, res) => {
    calls.push(`${req.method} ${req.url}`)
    const body = JSON.parse((await readBody(req, 10_000)).toString() || '{}')
    const session = { 'set-cookie': '__Host-session=abc; Path=/; Secure; HttpOnly' }
    if (req.url === '/api/v1/me') {
      const key = req.headers.authorization?.replace('Bearer ', '') ?? ''
      if (keys.has(key))
        sendJson(res, 200, { kind: 'apiKey', workspace: { id: 'workspace-1', name: 'Demo' } })
      else sendJson(res, 401, {})
    } else if (req.url === '/auth/sign-up/email') {
      if (password !== undefined) return sendJson(res, 422, { code: 'USER_ALREADY_EXISTS' })
      password = String(body.password)
      sendJson(res, 200, {}, session)
    } else if (req.url === '/auth/sign-in/email') {
      if (body.password === password) sendJson(res, 200, {}, session)
      else sendJson(res, 401, {})
    } else if (req.url === '/api/v1/api-keys' && req.headers.cookie === '__Host-session=abc') {
      keys.add(`tm_${body.scopes.join('_')}`)
      sendJson(res, 201, { id: '1', key: `tm_${body.scopes.join('_')}` })
    } else sendJson(res, 403, {})
  })
  return { url: server.url, calls }
}

const NEW_KEY = 'tm_read_write_admin_operator'

test('on an empty stack, a person signs up and gets a key with every scope', async () => {
  const { url } = await startWorker()
  expect(await ensureDemoUser({ url, password: 'secret', apiKey: undefined })).toEqual({
    url,
    email: 'demo@tidemark.localhost',
    password: 'secret',
    apiKey: NEW_KEY,
    workspaceId: 'workspace-1',
  })
})

test('a key that still works is kept, and nobody signs in', async () => {
  const { url, calls } = await startWorker({ password: 'secret', keys: ['tm_old'] })
  const instance = await ensureDemoUser({ url, password: 'secret', apiKey: 'tm_old' })
  expect(instance.apiKey).toBe('tm_old')
  expect(calls).toEqual(['GET /api/v1/me'])
})

test('a key that was revoked is replaced', async () => {
  const { url } = await startWorker({ password: 'secret' })
  const instance = await ensureDemoUser({ url, password: 'secret', apiKey: 'tm_revoked' })
  expect(instance.apiKey).toBe(NEW_KEY)
})

test('a password that was changed is not guessed at', async () => {
  const { url } = await startWorker({ password: 'changed' })
  const attempt = ensureDemoUser({ url, password: 'secret', apiKey: undefined })
  await expect(attempt).rejects.toThrow(DemoUserError)
  await expect(attempt).rejects.toThrow('another password')
})
