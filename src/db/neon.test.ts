import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createNeonDriver } from './neon.ts'

const asked: string[] = []
const server = createServer((request, response) => {
  asked.push(request.url ?? '')
  response.writeHead(400, { 'content-type': 'application/json' }).end('{"message":"not here"}')
})
beforeAll(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)))
afterAll(() => new Promise((resolve) => server.close(resolve)))

it('is made so that it asks where the database is, before any client is', async () => {
  const { port } = server.address() as AddressInfo
  const driver = createNeonDriver(
    'postgresql://somebody:password@127.0.0.1/nothing',
    `http://127.0.0.1:${port}/sql`,
  )
  await expect(driver.query('SELECT 1')).rejects.toThrow('not here')
  expect(asked).toEqual(['/sql'])
})
