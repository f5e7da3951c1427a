import type { LuaState } from 'fengari'
import { fromLua, lua, toLua } from './fengari.ts'
import { formatGeneral } from './number-format.ts'

/** What `cjson.null` is: a light userdata of its own. */
export const JSON_NULL = Object.freeze({ name: 'null' })

const MAX_DEPTH = 1000
/** A table is an array only while at least half of its slots are used; up to ten slots do not matter. */
const SPARSE_RATIO = 2
const SPARSE_SAFE_LENGTH = 10

/**
 * The value at a stack index as JSON, in cjson's way: an empty table is an object, numbers have 14 digits.
 * @throws Error with cjson's message for what JSON cannot hold.
 */
export function encodeJson(state: LuaState, index: number, depth = 0): string {
  lua.lua_checkstack(state, 6)
  switch (lua.lua_type(state, index)) {
    case lua.LUA_TSTRING:
      return quote(fromLua(lua.lua_tolstring(state, index)))
    case lua.LUA_TNUMBER:
      return encodeNumber(lua.lua_tonumber(state, index))
    case lua.LUA_TBOOLEAN:
      return String(lua.lua_toboolean(state, index))
    case lua.LUA_TNIL:
      return 'null'
    case lua.LUA_TLIGHTUSERDATA:
      if (lua.lua_touserdata(state, index) === JSON_NULL) return 'null'
      break
    case lua.LUA_TTABLE:
      if (depth >= MAX_DEPTH) throw new Error(`Cannot serialise, excessive depth (${depth + 1})`)
      return encodeTable(state, index, depth)
  }
  const type = fromLua(lua.lua_typename(state, lua.lua_type(state, index)))
  throw new Error(`Cannot serialise ${type}: type not supported`)
}

function encodeTable(state: LuaState, index: number, depth: number): string {
  lua.lua_pushvalue(state, index)
  const length = arrayLength(state)
  const parts: string[] = []
  if (length > 0) {
    for (let position = 1; position <= length; position++) {
      lua.lua_rawgeti(state, -1, position)
      parts.push(encodeJson(state, -1, depth + 1))
      lua.lua_pop(state, 1)
    }
  } else {
    lua.lua_pushnil(state)
    while (lua.lua_next(state, -2) !== 0) {
      parts.push(`${encodeKey(state)}:${encodeJson(state, -1, depth + 1)}`)
      lua.lua_pop(state, 1)
    }
  }
  lua.lua_pop(state, 1)
  return length > 0 ? `[${parts.join(',')}]` : `{${parts.join(',')}}`
}

/** The length of the array at the top of the stack; 0 for a table that is to be an object. */
function arrayLength(state: LuaState): number {
  let count = 0
  let largest = 0
  lua.lua_pushnil(state)
  while (lua.lua_next(state, -2) !== 0) {
    lua.lua_pop(state, 1)
    const key = lua.lua_type(state, -1) === lua.LUA_TNUMBER ? lua.lua_tonumber(state, -1) : 0
    if (!Number.isInteger(key) || key < 1) {
      lua.lua_pop(state, 1)
      return 0
    }
    count += 1
    largest = Math.max(largest, key)
  }
  if (largest > SPARSE_SAFE_LENGTH && largest > count * SPARSE_RATIO) {
    throw new Error('Cannot serialise table: excessively sparse array')
  }
  return largest
}

function encodeKey(state: LuaState): string {
  const type = lua.lua_type(state, -2)
  if (type === lua.LUA_TNUMBER) return `"${encodeNumber(lua.lua_tonumber(state, -2))}"`
  if (type === lua.LUA_TSTRING) return quote(fromLua(lua.lua_tolstring(state, -2)))
  throw new Error('Cannot serialise table: table key must be a number or string')
}

function encodeNumber(value: number): string {
  if (!Number.isFinite(value)) throw new Error('Cannot serialise number: must not be NaN or Inf')
  return formatGeneral(value, 14)
}

const quote = (text: string) => JSON.stringify(text).replaceAll('/', '\\/').replaceAll('\x7f', '\\u007f')

/**
 * Pushes what a JSON text holds; `null` becomes `cjson.null`.
 * @throws Error when it is not JSON.
 */
export function pushJson(state: LuaState, json: string): void {
  pushValue(state, parse(json))
}

/** Scripts hold bytes; JSON escapes mean characters, so that the text is parsed as UTF-8. */
function parse(json: string): unknown {
  try {
    return JSON.parse(Buffer.from(json, 'latin1').toString('utf8'))
  } catch {
    throw new Error('Expected value but found invalid token')
  }
}

const utf8Bytes = (text: string) => toLua(Buffer.from(text, 'utf8').toString('latin1'))

function pushValue(state: LuaState, value: unknown): void {
  lua.lua_checkstack(state, 4)
  if (typeof value === 'string') lua.lua_pushstring(state, utf8Bytes(value))
  else if (typeof value === 'number') lua.lua_pushnumber(state, value)
  else if (typeof value === 'boolean') lua.lua_pushboolean(state, value)
  else if (typeof value !== 'object' || value === null) lua.lua_pushlightuserdata(state, JSON_NULL)
  else if (Array.isArray(value)) {
    lua.lua_createtable(state, value.length, 0)
    for (const [index, item] of value.entries()) {
      pushValue(state, item)
      lua.lua_rawseti(state, -2, index + 1)
    }
  } else {
    lua.lua_createtable(state, 0, 0)
    for (const [key, item] of Object.entries(value)) {
      pushValue(state, item)
      lua.lua_setfield(state, -2, utf8Bytes(key))
    }
  }
}
