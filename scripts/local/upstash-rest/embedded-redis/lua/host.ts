import { createHash } from 'node:crypto'
import type { LuaState } from 'fengari'
import { CommandError, type Reply } from '../reply.ts'
import { encodeJson, JSON_NULL, pushJson } from './cjson.ts'
import { PRELUDE, translateScript, withoutShebang } from './dialect.ts'
import { fromLua, lauxlib, lua, lualib, toLua } from './fengari.ts'
import { popReply, pushList, pushReply, readArgument, readError } from './values.ts'

/** A script that runs longer is ended: everything else waits for it. */
const DEFAULT_TIME_LIMIT_MS = 5000
const INSTRUCTIONS_BETWEEN_CHECKS = 100_000
const SCRIPT_NAME = 'user_script'

/** Executes a command for a script. @throws CommandError */
export type ScriptCommand = (words: readonly string[], options: { readOnly: boolean }) => Reply

export interface ScriptCall {
  sha: string
  source: string
  keys: readonly string[]
  args: readonly string[]
  readOnly: boolean
}

export const scriptSha = (source: string) => createHash('sha1').update(source, 'latin1').digest('hex')

/** Runs scripts one after the other in one Lua state, which they cannot change. */
export class LuaHost {
  readonly #state: LuaState = lauxlib.luaL_newstate()
  readonly #command: ScriptCommand
  readonly #timeLimitMs: number
  readonly #chunks = new Map<string, number>()
  readonly #compile: number
  readonly #run: number
  #readOnly = false
  #deadlineMs = 0
  #errorLine = 0

  constructor(command: ScriptCommand, timeLimitMs = DEFAULT_TIME_LIMIT_MS) {
    this.#command = command
    this.#timeLimitMs = timeLimitMs
    const state = this.#state
    for (const [name, open] of [
      ['_G', lualib.luaopen_base],
      ['table', lualib.luaopen_table],
      ['string', lualib.luaopen_string],
      ['math', lualib.luaopen_math],
      ['coroutine', lualib.luaopen_coroutine],
    ] as const) {
      lauxlib.luaL_requiref(state, toLua(name), open, true)
    }
    lua.lua_settop(state, 0)
    const prelude = toLua(PRELUDE)
    lauxlib.luaL_loadbuffer(state, prelude, prelude.length, toLua('@prelude'))
    this.#pushHostFunctions()
    if (lua.lua_pcall(state, 1, 1, 0) !== lua.LUA_OK) throw new Error(readError(state))
    lua.lua_getfield(state, -1, toLua('compile'))
    this.#compile = lauxlib.luaL_ref(state, lua.LUA_REGISTRYINDEX)
    lua.lua_getfield(state, -1, toLua('run'))
    this.#run = lauxlib.luaL_ref(state, lua.LUA_REGISTRYINDEX)
    lua.lua_settop(state, 0)
  }

  /** @throws CommandError when the script does not compile. */
  compile(sha: string, source: string): void {
    if (this.#chunks.has(sha)) return
    const state = this.#state
    this.#startClock()
    lua.lua_rawgeti(state, lua.LUA_REGISTRYINDEX, this.#compile)
    lua.lua_pushstring(state, toLua(translateScript(withoutShebang(source))))
    const status = lua.lua_pcall(state, 1, 2, 0)
    if (status !== lua.LUA_OK || lua.lua_type(state, -2) === lua.LUA_TNIL) {
      const message = fromLua(lua.lua_tolstring(state, -1))
      lua.lua_settop(state, 0)
      throw new CommandError(`ERR Error compiling script (new function): ${message}`)
    }
    lua.lua_pop(state, 1)
    this.#chunks.set(sha, lauxlib.luaL_ref(state, lua.LUA_REGISTRYINDEX))
  }

  /** @throws CommandError with the script's name and line, whatever the script threw. */
  run(call: ScriptCall): Reply {
    this.compile(call.sha, call.source)
    const state = this.#state
    this.#readOnly = call.readOnly
    this.#errorLine = 0
    this.#startClock()
    lua.lua_pushjsfunction(state, () => this.#noteErrorLine())
    lua.lua_rawgeti(state, lua.LUA_REGISTRYINDEX, this.#run)
    lua.lua_rawgeti(state, lua.LUA_REGISTRYINDEX, this.#chunks.get(call.sha) ?? 0)
    pushList(state, call.keys)
    pushList(state, call.args)
    const status = lua.lua_pcall(state, 3, 1, 1)
    try {
      if (status === lua.LUA_OK) return popReply(state)
      const place = `script: ${call.sha}, on @${SCRIPT_NAME}:${this.#errorLine}.`
      throw new CommandError(`${readError(state)} ${place}`)
    } finally {
      lua.lua_settop(state, 0)
    }
  }

  forgetScripts(): void {
    for (const reference of this.#chunks.values()) {
      lauxlib.luaL_unref(this.#state, lua.LUA_REGISTRYINDEX, reference)
    }
    this.#chunks.clear()
  }

  #pushHostFunctions(): void {
    const state = this.#state
    const functions: Record<string, (state: LuaState) => number> = {
      call: (thread) => this.#callCommand(thread, true),
      pcall: (thread) => this.#callCommand(thread, false),
      sha1hex: (thread) => pushed(thread, scriptSha(fromLua(lua.lua_tolstring(thread, 1)))),
      dialect: (thread) => pushed(thread, translateScript(fromLua(lua.lua_tolstring(thread, 1)))),
      encode: (thread) => raising(thread, () => pushed(thread, encodeJson(thread, 1))),
      decode: (thread) =>
        raising(thread, () => {
          pushJson(thread, fromLua(lua.lua_tolstring(thread, 1)))
          return 1
        }),
    }
    lua.lua_createtable(state, 0, 7)
    for (const [name, fn] of Object.entries(functions)) {
      lua.lua_pushjsfunction(state, fn)
      lua.lua_setfield(state, -2, toLua(name))
    }
    lua.lua_pushlightuserdata(state, JSON_NULL)
    lua.lua_setfield(state, -2, toLua('null'))
  }

  /** `redis.call`, which throws errors, and `redis.pcall`, which answers them. */
  #callCommand(state: LuaState, throws: boolean): number {
    const reply = this.#replyTo(state)
    pushReply(state, reply)
    if (throws && reply instanceof CommandError) return lua.lua_error(state)
    return 1
  }

  #replyTo(state: LuaState): Reply {
    const words: string[] = []
    for (let index = 1; index <= lua.lua_gettop(state); index++) {
      const word = readArgument(state, index)
      if (word === undefined) {
        return new CommandError('ERR Lua redis lib command arguments must be strings or integers')
      }
      words.push(word)
    }
    if (words.length === 0) {
      return new CommandError('ERR Please specify at least one argument for this redis lib call')
    }
    try {
      return this.#command(words, { readOnly: this.#readOnly })
    } catch (error) {
      if (error instanceof CommandError) return error
      throw error
    }
  }

  /** The handler of `pcall`: keeps the error, remembers the script's line while the stack is still there. */
  #noteErrorLine(): number {
    for (let level = 0; this.#errorLine === 0; level++) {
      const activation = new lua.lua_Debug()
      if (lua.lua_getstack(this.#state, level, activation) === 0) break
      lua.lua_getinfo(this.#state, toLua('Sl'), activation)
      if (fromLua(activation.short_src).startsWith(SCRIPT_NAME)) this.#errorLine = activation.currentline
    }
    return 1
  }

  #startClock(): void {
    this.#deadlineMs = Date.now() + this.#timeLimitMs
    this.#checkTimeEvery(INSTRUCTIONS_BETWEEN_CHECKS)
  }

  #checkTimeEvery(instructions: number): void {
    lua.lua_sethook(this.#state, () => this.#checkTime(), lua.LUA_MASKCOUNT, instructions)
  }

  #checkTime(): void {
    if (Date.now() < this.#deadlineMs) return
    // A script may catch this error: from now on every instruction throws it, also those around its pcall.
    this.#checkTimeEvery(1)
    lua.lua_pushstring(this.#state, toLua(`Script ran longer than ${this.#timeLimitMs} ms`))
    lua.lua_error(this.#state)
  }
}

function pushed(state: LuaState, text: string): number {
  lua.lua_pushstring(state, toLua(text))
  return 1
}

/** Turns a JavaScript error into a Lua error that names the script's line. */
function raising(state: LuaState, action: () => number): number {
  let message: string
  try {
    return action()
  } catch (error) {
    if (!(error instanceof Error)) throw error
    message = error.message
  }
  const activation = new lua.lua_Debug()
  let place = ''
  if (lua.lua_getstack(state, 1, activation) !== 0) {
    lua.lua_getinfo(state, toLua('Sl'), activation)
    place = `${fromLua(activation.short_src)}:${activation.currentline}: `
  }
  lua.lua_pushstring(state, toLua(place + message))
  return lua.lua_error(state)
}
