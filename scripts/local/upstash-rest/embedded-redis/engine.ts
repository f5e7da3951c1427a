import type { Arguments } from './arguments.ts'
import { argument, parseInteger } from './arguments.ts'
import type { Command } from './commands/command.ts'
import { dataCommands } from './commands/index.ts'
import { Keyspace } from './keyspace.ts'
import { type LuaHost, scriptSha } from './lua/host.ts'
import { CommandError, OK, type Reply, syntaxError, wrongArgumentCount } from './reply.ts'

const NO_WRITES_FLAG = /^#!lua[^\n]*\bno-writes\b/

interface ScriptRequest {
  keys: readonly string[]
  args: readonly string[]
  readOnly: boolean
}

/** Executes commands on one keyspace, each at once and whole. */
export class Engine {
  readonly #keyspace: Keyspace
  readonly #scripts = new Map<string, string>()
  readonly #commands: ReadonlyMap<string, Command>
  #host: LuaHost | undefined

  constructor(keyspace: Keyspace = new Keyspace()) {
    this.#keyspace = keyspace
    this.#commands = new Map([...dataCommands, ...this.#scriptCommands()])
  }

  /** @throws CommandError when there is no such command, or its number of arguments is wrong. */
  check(words: readonly string[]): void {
    this.#find(words)
  }

  /**
   * @param words the command's name, in any case, and its arguments, as byte strings
   * @throws CommandError
   */
  execute(words: readonly string[]): Reply {
    return this.#find(words).run(this.#keyspace, words.slice(1))
  }

  /** Frees what has expired; to be called now and then. */
  sweepExpired(): void {
    this.#keyspace.sweepExpired()
  }

  /** Loads the Lua virtual machine; scripts are refused before. A script may run for five seconds. */
  async loadScripting(options: { timeLimitMs?: number } = {}): Promise<void> {
    const { LuaHost } = await import('./lua/host.ts')
    this.#host = new LuaHost(
      (words, { readOnly }) => this.#executeForScript(words, readOnly),
      options.timeLimitMs,
    )
  }

  #find(words: readonly string[]): Command {
    const name = words[0] ?? ''
    const command = this.#commands.get(name.toLowerCase())
    if (command === undefined) {
      const args = words.slice(1).map((word) => `'${word.slice(0, 128)}' `)
      throw new CommandError(`ERR unknown command '${name}', with args beginning with: ${args.join('')}`)
    }
    if (!acceptsCount(command, words.length)) throw wrongArgumentCount(name.toLowerCase())
    return command
  }

  #executeForScript(words: readonly string[], readOnly: boolean): Reply {
    const name = argument(words, 0).toLowerCase()
    const command = dataCommands.get(name)
    if (command === undefined) {
      const known = this.#commands.has(name) || ['multi', 'exec', 'auth'].includes(name)
      throw new CommandError(
        known
          ? 'ERR This Redis command is not allowed from script'
          : 'ERR Unknown Redis command called from script',
      )
    }
    if (!acceptsCount(command, words.length)) {
      throw new CommandError('ERR Wrong number of args calling Redis command from script')
    }
    if (readOnly && command.writes) {
      throw new CommandError('ERR Write commands are not allowed from read-only scripts.')
    }
    return command.run(this.#keyspace, words.slice(1))
  }

  #scriptCommands(): [string, Command][] {
    const command = (arity: number, run: (args: Arguments) => Reply): Command => ({
      arity,
      writes: true,
      run: (_keyspace, args) => run(args),
    })
    const evaluate = (readOnly: boolean) =>
      command(-3, (args) => this.#run(this.#remember(argument(args, 0)), scriptRequest(args, readOnly)))
    const evaluateBySha = (readOnly: boolean) =>
      command(-3, (args) => this.#run(argument(args, 0).toLowerCase(), scriptRequest(args, readOnly)))
    return [
      ['eval', evaluate(false)],
      ['eval_ro', evaluate(true)],
      ['evalsha', evaluateBySha(false)],
      ['evalsha_ro', evaluateBySha(true)],
      ['script', command(-2, (args) => this.#script(args))],
    ]
  }

  #remember(source: string): string {
    const sha = scriptSha(source)
    this.#lua().compile(sha, source)
    this.#scripts.set(sha, source)
    return sha
  }

  #run(sha: string, request: ScriptRequest): Reply {
    const source = this.#scripts.get(sha)
    if (source === undefined) throw new CommandError('NOSCRIPT No matching script. Please use EVAL.')
    const readOnly = request.readOnly || NO_WRITES_FLAG.test(source)
    return this.#lua().run({ sha, source, ...request, readOnly })
  }

  #script(args: Arguments): Reply {
    const subcommand = argument(args, 0)
    const rest = args.slice(1)
    switch (subcommand.toUpperCase()) {
      case 'LOAD':
        if (rest.length !== 1) throw wrongArgumentCount('script|load')
        return this.#remember(argument(rest, 0))
      case 'EXISTS':
        if (rest.length === 0) throw wrongArgumentCount('script|exists')
        return rest.map((sha) => Number(this.#scripts.has(sha.toLowerCase())))
      case 'FLUSH':
        if (rest.length > 1) throw syntaxError()
        this.#scripts.clear()
        this.#lua().forgetScripts()
        return OK
      default:
        throw new CommandError(`ERR unknown subcommand '${subcommand}'. Try SCRIPT HELP.`)
    }
  }

  #lua(): LuaHost {
    if (this.#host === undefined) throw new CommandError('ERR scripting is not loaded')
    return this.#host
  }
}

function acceptsCount(command: Command, words: number): boolean {
  return command.arity < 0 ? words >= -command.arity : words === command.arity
}

/** The part of EVAL and EVALSHA after the script. @throws CommandError */
function scriptRequest(args: Arguments, readOnly: boolean): ScriptRequest {
  const keyCount = parseInteger(argument(args, 1))
  if (keyCount < 0) throw new CommandError("ERR Number of keys can't be negative")
  if (keyCount > args.length - 2) {
    throw new CommandError("ERR Number of keys can't be greater than number of args")
  }
  return { keys: args.slice(2, 2 + keyCount), args: args.slice(2 + keyCount), readOnly }
}
