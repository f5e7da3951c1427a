import type { Arguments } from '../arguments.ts'
import type { Keyspace } from '../keyspace.ts'
import type { Reply } from '../reply.ts'

export interface Command {
  /** The exact number of words, the name included; negative: the least number. */
  arity: number
  /** Read-only scripts may not call it. */
  writes: boolean
  run(keyspace: Keyspace, args: Arguments): Reply
}

export type CommandTable = Readonly<Record<string, Command>>

/** A command that changes nothing. */
export const reads = (arity: number, run: Command['run']): Command => ({ arity, writes: false, run })

/** A command that may change keys. */
export const writes = (arity: number, run: Command['run']): Command => ({ arity, writes: true, run })
