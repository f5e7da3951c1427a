import { generateLoad } from './generate.ts'
import { type LoadReply, LoadRequest } from './protocol.ts'

/** The process that asks, so that it shares no event loop with what answers. Ends with its parent. */

function reply(message: LoadReply): void {
  if (process.connected) process.send?.(message)
}

process.on('message', (message) => {
  generateLoad(LoadRequest.parse(message)).then(
    (result) => reply({ type: 'result', result }),
    (error: unknown) =>
      reply({ type: 'failed', message: error instanceof Error ? error.message : String(error) }),
  )
})
process.on('disconnect', () => process.exit(0))
