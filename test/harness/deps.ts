import type { Db } from '../../src/db/client.ts'
import type { Logger } from '../../src/ports.ts'
import type { ServiceDeps } from '../../src/services/context.ts'

export const silentLogger: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  with: () => silentLogger,
}

/** For services that store: nobody listens, nothing is cached. */
export function quietDeps(db: Db): Pick<ServiceDeps, 'db' | 'generations' | 'hub' | 'log' | 'waitUntil'> {
  return {
    db,
    generations: { raise: async () => {} },
    hub: {
      publish: async () => {},
      announce: async () => {},
      issueTicket: async () => {},
      revoke: async () => 0,
    },
    log: silentLogger,
    waitUntil: (work) => void work.catch(() => {}),
  }
}
