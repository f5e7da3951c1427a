import { createHash } from 'node:crypto'
import type { Command, Word } from './words.ts'

/** A flag of Upstash's own, which every other Redis refuses. */
const UPSTASH_FLAG = 'allow-key-locking'

const sha1 = (text: string) => createHash('sha1').update(text).digest('hex')

/**
 * Makes scripts written for Upstash acceptable to Redis. A translated script has another SHA there; clients
 * go on using that of the script they know.
 */
export class ScriptTranslation {
  /** The SHA that a client uses → the SHA that Redis knows, where they differ. */
  readonly #translatedShas = new Map<string, string>()

  /** The command as it is to be sent. */
  toRedis(command: Command): Command {
    const [name, ...words] = command
    switch (name.toUpperCase()) {
      case 'EVAL':
      case 'EVAL_RO':
        return [name, ...words.map((word, index) => (index === 0 ? this.#script(word) : word))]
      case 'EVALSHA':
      case 'EVALSHA_RO':
        return [name, ...words.map((word, index) => (index === 0 ? this.#sha(word) : word))]
      case 'SCRIPT':
        return [name, ...this.#scriptWords(words)]
      default:
        return command
    }
  }

  /** The reply as the client is to see it: SCRIPT LOAD answers the SHA of the script it was given. */
  replyFor<Reply>(command: Command, reply: Reply): Reply | Buffer {
    const [name, subcommand, script] = command
    const loads = name.toUpperCase() === 'SCRIPT' && String(subcommand).toUpperCase() === 'LOAD'
    return loads && typeof script === 'string' ? Buffer.from(sha1(script)) : reply
  }

  #scriptWords([subcommand, ...rest]: Word[]): Word[] {
    if (subcommand === undefined) return []
    switch (String(subcommand).toUpperCase()) {
      case 'LOAD':
        return [subcommand, ...rest.map((word) => this.#script(word))]
      case 'EXISTS':
        return [subcommand, ...rest.map((word) => this.#sha(word))]
      default:
        return [subcommand, ...rest]
    }
  }

  #script(word: Word): Word {
    if (typeof word !== 'string') return word
    const translated = withoutUpstashFlag(word)
    if (translated !== word) this.#translatedShas.set(sha1(word), sha1(translated))
    return translated
  }

  #sha(word: Word): Word {
    return this.#translatedShas.get(String(word).toLowerCase()) ?? word
  }
}

/** Lines stay where they are, so that errors name the right one. */
function withoutUpstashFlag(script: string): string {
  const [shebang = '', flagList] = /^#!lua[^\n]*?flags=([\w,-]*)[^\n]*/.exec(script) ?? []
  const flags = flagList?.split(',') ?? []
  if (!flags.includes(UPSTASH_FLAG)) return script
  const others = flags.filter((flag) => flag !== UPSTASH_FLAG)
  const line = others.length === 0 ? '' : shebang.replace(`flags=${flagList}`, `flags=${others.join(',')}`)
  return line + script.slice(shebang.length)
}
