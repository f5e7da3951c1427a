import { describe } from 'vitest'
import { findRedisServer } from '../redis.ts'
import { describeCommands } from './testing/commands-suite.ts'
import { describeOutages } from './testing/outage-suite.ts'
import { describeProtocol } from './testing/protocol-suite.ts'
import { describeRatelimit } from './testing/ratelimit-suite.ts'
import { describeScripts } from './testing/scripts-suite.ts'

describe.skipIf(!findRedisServer())('with a redis-server on the PATH', () => {
  describeCommands('server')
  describeScripts('server')
  describeRatelimit('server')
  describeProtocol('server')
  describeOutages('server')
})
