import type { Directory } from '../access/identify.ts'
import type { ServiceDeps } from '../context.ts'

export interface PeopleParts
  extends Pick<ServiceDeps, 'db' | 'hub' | 'mailer' | 'clock' | 'log' | 'waitUntil' | 'publicUrl'> {
  directory: Directory
  signupMode: 'invite' | 'open' | 'closed'
  /** In lower case. Where there are any, only they may be first. */
  operatorEmails: readonly string[]
}
