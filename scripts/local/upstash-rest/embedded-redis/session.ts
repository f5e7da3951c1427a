import type { Engine } from './engine.ts'
import { CommandError, OK, type Reply, Status, wrongArgumentCount } from './reply.ts'

const QUEUED = new Status('QUEUED')

/** The state of one connection: whether it has given the password, and its open transaction. */
export class Session {
  readonly #engine: Engine
  readonly #password: string
  #authenticated = false
  #queue: (readonly string[])[] | undefined
  #aborted = false

  constructor(engine: Engine, password: string) {
    this.#engine = engine
    this.#password = password
  }

  /** Answers one request; errors are answers too. */
  handle(words: readonly string[]): Reply {
    try {
      return this.#dispatch(words)
    } catch (error) {
      if (!(error instanceof CommandError)) throw error
      return error
    }
  }

  #dispatch(words: readonly string[]): Reply {
    const name = (words[0] ?? '').toLowerCase()
    if (name === 'auth') return this.#authenticate(words)
    if (!this.#authenticated) throw new CommandError('NOAUTH Authentication required.')
    if (name === 'multi') return this.#begin()
    if (name === 'exec') return this.#commit()
    if (name === 'discard') return this.#discard()
    // Clients introduce themselves with CLIENT SETINFO and SETNAME; nobody asks for it here.
    if (name === 'client') return OK
    if (this.#queue === undefined) return this.#engine.execute(words)
    return this.#enqueue(this.#queue, words)
  }

  #authenticate(words: readonly string[]): Reply {
    if (words.length !== 2 && words.length !== 3) throw wrongArgumentCount('auth')
    if (words.at(-1) !== this.#password) {
      throw new CommandError('WRONGPASS invalid username-password pair or user is disabled.')
    }
    this.#authenticated = true
    return OK
  }

  #begin(): Reply {
    if (this.#queue !== undefined) throw new CommandError('ERR MULTI calls can not be nested')
    this.#queue = []
    this.#aborted = false
    return OK
  }

  #enqueue(queue: (readonly string[])[], words: readonly string[]): Reply {
    try {
      this.#engine.check(words)
    } catch (error) {
      this.#aborted = true
      throw error
    }
    queue.push(words)
    return QUEUED
  }

  #commit(): Reply {
    const queue = this.#queue
    if (queue === undefined) throw new CommandError('ERR EXEC without MULTI')
    this.#queue = undefined
    if (this.#aborted) {
      throw new CommandError('EXECABORT Transaction discarded because of previous errors.')
    }
    return queue.map((words) => this.handle(words))
  }

  #discard(): Reply {
    if (this.#queue === undefined) throw new CommandError('ERR DISCARD without MULTI')
    this.#queue = undefined
    return OK
  }
}
