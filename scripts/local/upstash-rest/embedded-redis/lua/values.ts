import type { LuaState } from 'fengari'
import { CommandError, type Reply, Status } from '../reply.ts'
import { fromLua, lua, toLua } from './fengari.ts'
import { formatGeneral } from './number-format.ts'

const OK_FIELD = toLua('ok')
const ERR_FIELD = toLua('err')

/** Pushes a reply as scripts see it: a missing value is `false`, a status `{ ok }`, an error `{ err }`. */
export function pushReply(state: LuaState, reply: Reply): void {
  lua.lua_checkstack(state, 4)
  if (reply === null) lua.lua_pushboolean(state, false)
  else if (typeof reply === 'number') lua.lua_pushnumber(state, reply)
  else if (typeof reply === 'string') lua.lua_pushstring(state, toLua(reply))
  else if (reply instanceof Status) pushRecord(state, OK_FIELD, reply.text)
  else if (reply instanceof CommandError) pushRecord(state, ERR_FIELD, reply.message)
  else pushList(state, reply)
}

/** Pushes a table of replies, such as KEYS. */
export function pushList(state: LuaState, items: readonly Reply[]): void {
  lua.lua_createtable(state, items.length, 0)
  for (const [index, item] of items.entries()) {
    pushReply(state, item)
    lua.lua_rawseti(state, -2, index + 1)
  }
}

function pushRecord(state: LuaState, field: Uint8Array, text: string): void {
  lua.lua_createtable(state, 0, 1)
  lua.lua_pushstring(state, toLua(text))
  lua.lua_setfield(state, -2, field)
}

/** Takes the value at the top of the stack as a script's answer; a table ends at its first nil. */
export function popReply(state: LuaState): Reply {
  const reply = readReply(state)
  lua.lua_pop(state, 1)
  return reply
}

function readReply(state: LuaState): Reply {
  lua.lua_checkstack(state, 4)
  switch (lua.lua_type(state, -1)) {
    case lua.LUA_TSTRING:
      return fromLua(lua.lua_tolstring(state, -1))
    case lua.LUA_TNUMBER:
      return Math.trunc(lua.lua_tonumber(state, -1)) || 0
    case lua.LUA_TBOOLEAN:
      return lua.lua_toboolean(state, -1) ? 1 : null
    case lua.LUA_TTABLE:
      return readTable(state)
    default:
      return null
  }
}

function readTable(state: LuaState): Reply {
  const error = stringField(state, -1, ERR_FIELD)
  if (error !== undefined) return new CommandError(error)
  const status = stringField(state, -1, OK_FIELD)
  if (status !== undefined) return new Status(status)
  const items: Reply[] = []
  for (let index = 1; ; index++) {
    lua.lua_rawgeti(state, -1, index)
    if (lua.lua_type(state, -1) === lua.LUA_TNIL) {
      lua.lua_pop(state, 1)
      return items
    }
    items.push(popReply(state))
  }
}

function stringField(state: LuaState, index: number, field: Uint8Array): string | undefined {
  lua.lua_getfield(state, index, field)
  const isText = lua.lua_type(state, -1) === lua.LUA_TSTRING
  const text = isText ? fromLua(lua.lua_tolstring(state, -1)) : undefined
  lua.lua_pop(state, 1)
  return text
}

/**
 * The error at the top of the stack as a message without its place: the `err` of a table that a failed
 * `redis.call` or `error({ err = … })` threw, or a text with the `ERR` code before it.
 */
export function readError(state: LuaState): string {
  if (lua.lua_type(state, -1) === lua.LUA_TTABLE) {
    return stringField(state, -1, ERR_FIELD) ?? 'ERR unknown error'
  }
  return `ERR ${fromLua(lua.lua_tolstring(state, -1))}`
}

/** An argument of `redis.call`, or undefined for a type that is none. */
export function readArgument(state: LuaState, index: number): string | undefined {
  const type = lua.lua_type(state, index)
  if (type === lua.LUA_TNUMBER) return formatGeneral(lua.lua_tonumber(state, index), 17)
  return type === lua.LUA_TSTRING ? fromLua(lua.lua_tolstring(state, index)) : undefined
}
