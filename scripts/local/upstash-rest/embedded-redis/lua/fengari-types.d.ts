/** The part of fengari (a Lua 5.3 virtual machine in JavaScript, published without types) that is used here. */
declare module 'fengari' {
  /** An opaque interpreter state. */
  export interface LuaState {
    readonly luaStateBrand: unique symbol
  }
  /** A Lua string: bytes. */
  export type LuaString = Uint8Array
  export type JsFunction = (state: LuaState) => number

  export interface LuaDebug {
    currentline: number
    short_src: LuaString | null
  }

  export interface Lua {
    LUA_OK: 0
    LUA_MASKCOUNT: number
    LUA_REGISTRYINDEX: number
    LUA_TNIL: number
    LUA_TBOOLEAN: number
    LUA_TLIGHTUSERDATA: number
    LUA_TNUMBER: number
    LUA_TSTRING: number
    LUA_TTABLE: number
    lua_Debug: new () => LuaDebug
    lua_checkstack(state: LuaState, slots: number): boolean
    lua_createtable(state: LuaState, arraySize: number, recordSize: number): void
    lua_error(state: LuaState): never
    lua_getfield(state: LuaState, index: number, key: LuaString): number
    lua_getinfo(state: LuaState, what: LuaString, activation: LuaDebug): number
    lua_getstack(state: LuaState, level: number, activation: LuaDebug): number
    lua_gettop(state: LuaState): number
    lua_next(state: LuaState, index: number): number
    lua_pcall(state: LuaState, arguments: number, results: number, handler: number): number
    lua_pop(state: LuaState, count: number): void
    lua_pushboolean(state: LuaState, value: boolean): void
    lua_pushjsfunction(state: LuaState, fn: JsFunction): void
    lua_pushlightuserdata(state: LuaState, value: object): void
    lua_pushnil(state: LuaState): void
    lua_pushnumber(state: LuaState, value: number): void
    lua_pushstring(state: LuaState, value: LuaString): void
    lua_pushvalue(state: LuaState, index: number): void
    lua_rawgeti(state: LuaState, index: number, key: number): number
    lua_rawlen(state: LuaState, index: number): number
    lua_rawseti(state: LuaState, index: number, key: number): void
    lua_setfield(state: LuaState, index: number, key: LuaString): void
    lua_sethook(state: LuaState, hook: ((state: LuaState) => void) | null, mask: number, count: number): void
    lua_settop(state: LuaState, index: number): void
    lua_toboolean(state: LuaState, index: number): boolean
    lua_tolstring(state: LuaState, index: number): LuaString | null
    lua_tonumber(state: LuaState, index: number): number
    lua_touserdata(state: LuaState, index: number): unknown
    lua_type(state: LuaState, index: number): number
    lua_typename(state: LuaState, type: number): LuaString
  }

  export interface LuaAuxiliary {
    luaL_newstate(): LuaState
    luaL_loadbuffer(state: LuaState, source: LuaString, size: number, name: LuaString): number
    luaL_ref(state: LuaState, table: number): number
    luaL_requiref(state: LuaState, name: LuaString, open: JsFunction, global: boolean): void
    luaL_unref(state: LuaState, table: number, reference: number): void
  }

  export interface LuaLibraries {
    luaopen_base: JsFunction
    luaopen_coroutine: JsFunction
    luaopen_math: JsFunction
    luaopen_string: JsFunction
    luaopen_table: JsFunction
  }

  export const lua: Lua
  export const lauxlib: LuaAuxiliary
  export const lualib: LuaLibraries
  export function to_luastring(text: string): LuaString
}
