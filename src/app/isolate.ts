import { createLogger } from '../adapters/logger.ts'
import { type AppDeps, type Bindings, createDeps, type Runtime } from '../deps.ts'
import { ConfigurationError } from '../env.ts'
import { protectAnswer } from '../http/middleware/security-headers.ts'

/** What an entry keeps for as long as its isolate lives. */
export interface Isolate {
  /** What requests are answered with. @throws before the first request. */
  depsOf(): AppDeps
  /**
   * To be asked at every request.
   * @returns `null`, or the answer in its place where the configuration is not complete
   */
  configure(env: Bindings): Response | null
}

/** Reads the configuration and makes every client when the first request comes in, for all that follow. */
export function createIsolate(runtime: Runtime): Isolate {
  let deps: AppDeps | null = null
  return {
    depsOf() {
      if (deps === null) throw new Error('no request has come in yet')
      return deps
    },
    configure(env) {
      if (deps !== null) return null
      try {
        deps = createDeps(env, runtime)
        return null
      } catch (error) {
        if (!(error instanceof ConfigurationError)) throw error
        createLogger().error('configuration', { problems: error.problems })
        return notConfigured(error)
      }
    },
  }
}

/** Which variables are missing or malformed; never what they hold. */
function notConfigured(error: ConfigurationError): Response {
  const answer = Response.json(
    { status: 503, title: 'Not configured', problems: error.problems },
    { status: 503 },
  )
  protectAnswer(answer.headers, { path: '/', isSecure: false })
  return answer
}
