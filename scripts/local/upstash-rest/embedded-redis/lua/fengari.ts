import { createRequire } from 'node:module'
import type * as Fengari from 'fengari'

/**
 * Loads the Lua virtual machine so that it prints whole floats as Lua 5.1 does (`5`, not `5.0`). It reads
 * that setting from the environment, once, while it is loaded: hence not an import.
 */
function load(): typeof Fengari {
  const before = process.env.FENGARICONF
  process.env.FENGARICONF = JSON.stringify({ LUA_COMPAT_FLOATSTRING: true })
  try {
    return createRequire(import.meta.url)('fengari')
  } finally {
    if (before === undefined) delete process.env.FENGARICONF
    else process.env.FENGARICONF = before
  }
}

export const { lua, lauxlib, lualib } = load()

/** A byte string as Lua's bytes. */
export function toLua(text: string): Uint8Array {
  const bytes = Buffer.from(text, 'latin1')
  // Not a Buffer: its slice() shares memory where the virtual machine expects a copy.
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
}

/** Lua's bytes as a byte string. */
export function fromLua(bytes: Uint8Array | null): string {
  return bytes === null ? '' : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')
}
