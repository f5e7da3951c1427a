import type { Redis } from 'ioredis'
import { refusal } from './refused-commands.ts'
import { asRedisReply, type RedisReply } from './replies.ts'
import { ScriptTranslation } from './script-translation.ts'
import type { Command } from './words.ts'

/** Redis cannot be asked: it is down, or does not answer in time. */
export class RedisUnavailableError extends Error {}

/** The transaction was discarded as a whole; the message begins with EXECABORT. */
export class TransactionAbortedError extends Error {}

export type Outcome = { reply: RedisReply } | { error: string }

type PipelineResults = readonly (readonly [Error | null, unknown])[]

/** Runs the commands of requests on one shared connection. */
export class CommandExecutor {
  readonly #connection: Redis
  readonly #scripts = new ScriptTranslation()

  constructor(connection: Redis) {
    this.#connection = connection
  }

  /** @throws RedisUnavailableError */
  async run(command: Command): Promise<Outcome> {
    const refused = refusal(command)
    if (refused !== undefined) return { error: refused }
    const [name, ...words] = this.#scripts.toRedis(command)
    try {
      // In capitals ioredis leaves arguments and replies as they are.
      const reply = asRedisReply(await this.#connection.callBuffer(name.toUpperCase(), words))
      return { reply: this.#scripts.replyFor(command, reply) }
    } catch (error) {
      return { error: commandErrorMessage(error) }
    }
  }

  /**
   * Runs commands in order; each fails for itself.
   * @throws RedisUnavailableError, when some of the commands may have been executed all the same.
   */
  async runPipeline(commands: readonly Command[]): Promise<Outcome[]> {
    const refusals = commands.map(refusal)
    const accepted = commands.filter((_command, index) => refusals[index] === undefined)
    const results = await this.#send(accepted.map((command) => this.#scripts.toRedis(command)))
    const outcomes = results.map(([error, reply]) => outcomeOf(error, reply))[Symbol.iterator]()
    return commands.map((command, index) => {
      const refused = refusals[index]
      if (refused !== undefined) return { error: refused }
      const outcome = outcomes.next().value ?? { error: 'ERR no reply' }
      return 'reply' in outcome ? { reply: this.#scripts.replyFor(command, outcome.reply) } : outcome
    })
  }

  /**
   * Runs commands in one MULTI … EXEC, sent at once, so that nothing comes in between.
   * @throws TransactionAbortedError when a command is refused before anything is executed,
   *   RedisUnavailableError.
   */
  async runTransaction(commands: readonly Command[]): Promise<Outcome[]> {
    const refused = commands.map(refusal).find((reason) => reason !== undefined)
    if (refused !== undefined) throw aborted(refused)
    const translated = commands.map((command) => this.#scripts.toRedis(command))
    const results = await this.#send([['MULTI'], ...translated, ['EXEC']])
    const firstError = results.find(([error]) => error !== null)?.[0]
    if (firstError) throw aborted(commandErrorMessage(firstError))
    const replies = asRedisReply(results.at(-1)?.[1])
    if (!Array.isArray(replies)) throw aborted('ERR EXEC gave no replies')
    return commands.map((command, index) => {
      const reply = asRedisReply(replies[index])
      if (reply instanceof Error) return { error: reply.message }
      return { reply: this.#scripts.replyFor(command, reply) }
    })
  }

  async #send(commands: readonly Command[]): Promise<PipelineResults> {
    if (commands.length === 0) return []
    const pipeline = this.#connection.pipeline()
    for (const [name, ...words] of commands) pipeline.callBuffer(name.toUpperCase(), words)
    const results = await pipeline.exec()
    if (results === null) throw new RedisUnavailableError('ERR Redis is unavailable: no results')
    return results
  }
}

function outcomeOf(error: Error | null, reply: unknown): Outcome {
  return error === null ? { reply: asRedisReply(reply) } : { error: commandErrorMessage(error) }
}

/** @throws RedisUnavailableError when it was not Redis that answered the error. */
function commandErrorMessage(error: unknown): string {
  if (error instanceof Error && error.name === 'ReplyError') return error.message
  const reason = error instanceof Error ? error.message : String(error)
  throw new RedisUnavailableError(`ERR Redis is unavailable: ${reason}`, { cause: error })
}

function aborted(cause: string): TransactionAbortedError {
  return new TransactionAbortedError(`EXECABORT Transaction discarded because of: ${cause}`)
}
