import { forkProgram } from '../forked.ts'
import { LoadReply, type LoadRequest, type LoadResult } from './protocol.ts'

export interface LoadGenerator {
  /** @throws when the server cannot be reached, or closes a connection. */
  run(request: LoadRequest): Promise<LoadResult>
}

/** Starts a process that asks over HTTP. */
export function startLoadGenerator(resources: AsyncDisposableStack): LoadGenerator {
  const forked = forkProgram(new URL('./generator-process.ts', import.meta.url))
  resources.defer(() => forked.stop())
  return {
    async run(request) {
      const reply = LoadReply.parse(await forked.ask(request))
      if (reply.type === 'failed') throw new Error(`${request.origin}: ${reply.message}`)
      return reply.result
    },
  }
}
