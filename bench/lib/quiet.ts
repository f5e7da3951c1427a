import type { Logger } from '../../src/ports.ts'

export const quietLogger: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  with: () => quietLogger,
}
