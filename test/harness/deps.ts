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
    generations: { raise: async () => {}, note() {} },
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

/** For services that call no platform: whoever does fails. */
export function noCalls(): Pick<ServiceDeps, 'gate' | 'gateOperations' | 'dailyBudgets'> {
  const refuse = () => Promise.reject(new Error('Nobody calls a platform here'))
  return {
    gate: { admit: refuse, moneyLeft: refuse },
    gateOperations: {
      breakers: refuse,
      allowances: refuse,
      paused: refuse,
      pause: refuse,
      resume: refuse,
    },
    dailyBudgets: {},
  }
}
