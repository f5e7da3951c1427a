import { describeCommands } from './testing/commands-suite.ts'
import { describeOutages } from './testing/outage-suite.ts'
import { describeProtocol } from './testing/protocol-suite.ts'
import { describeRatelimit } from './testing/ratelimit-suite.ts'
import { describeScripts } from './testing/scripts-suite.ts'

describeCommands('embedded')
describeScripts('embedded')
describeRatelimit('embedded')
describeProtocol('embedded')
describeOutages('embedded')
