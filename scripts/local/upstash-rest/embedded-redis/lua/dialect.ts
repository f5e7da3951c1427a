/**
 * Redis runs Lua 5.1, whose numbers are all doubles; the virtual machine runs Lua 5.3 with 32-bit integers,
 * where 86400000 * 300 would wrap around. So every decimal integer in a script becomes a float, and the
 * prelude makes the library functions that give integers give floats.
 */
const TOKEN =
  /--\[(=*)\[[\s\S]*?\]\1\]|--[^\n]*|\[(=*)\[[\s\S]*?\]\2\]|"(?:\\[\s\S]|[^"\\\n])*"|'(?:\\[\s\S]|[^'\\\n])*'|0[xX][\da-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|[A-Za-z_]\w*|\.\.+/g

/** Escapes that both versions know; 5.1 takes any other escaped character for itself, 5.3 refuses it. */
const COMMON_ESCAPE = /[abfnrtv\\"'\n\d]/

/** A Lua 5.1 script in words that Lua 5.3 reads the same way; its lines stay where they are. */
export function translateScript(source: string): string {
  return source.replace(TOKEN, (token) => {
    if (/^\d+$/.test(token)) return `${token}.0`
    if (!/^["']/.test(token)) return token
    return token.replace(/\\([\s\S])/g, (sequence, character) =>
      COMMON_ESCAPE.test(character) ? sequence : character,
    )
  })
}

/** Drops a script's first line where it declares engine and flags; the line break stays. */
export function withoutShebang(source: string): string {
  return source.startsWith('#!') ? source.replace(/^[^\n]*/, '') : source
}

/**
 * Runs once in a new state with the host's functions as its argument; answers `compile(source)` and
 * `run(chunk, keys, argv)`.
 */
export const PRELUDE = `
local host = ...
local select, type, error, setmetatable = select, type, error, setmetatable
local pack, unpack, gsub, format = table.pack, table.unpack, string.gsub, string.format

local function refuse_change()
  error('Attempt to modify a readonly table', 2)
end

local function readonly(members)
  return setmetatable({}, { __index = members, __newindex = refuse_change })
end

local function float_result(fn)
  return function(...)
    local value = fn(...)
    return value and value + 0.0
  end
end

local function format_5_1(pattern, ...)
  local args, position = pack(...), 0
  local converted = gsub(pattern, '%%([-+ #0]*%d*)(%.?%d*)([%a%%])', function(width, precision, kind)
    if kind == '%' then return nil end
    position = position + 1
    if kind ~= 'd' and kind ~= 'i' and kind ~= 'u' then return nil end
    local number = tonumber(args[position])
    if number then
      number = number + 0.0
      args[position] = number < 0 and -(-number // 1) or number // 1
    end
    return '%' .. width .. '.0f'
  end)
  return format(converted, unpack(args, 1, args.n))
end

local function pcall_5_1(...)
  local results = pack(pcall(...))
  if not results[1] and type(results[2]) == 'table' and results[2].err then results[2] = results[2].err end
  return unpack(results, 1, results.n)
end

local math_members = {}
for name, member in pairs(math) do math_members[name] = member end
math_members.floor = float_result(math.floor)
math_members.ceil = float_result(math.ceil)
math_members.pow = function(base, exponent) return base ^ exponent end
math_members.log10 = function(value) return math.log(value, 10) end
math_members.mod = math.fmod

local string_members = {}
for name, member in pairs(string) do string_members[name] = member end
string_members.format = format_5_1
string.format = format_5_1

local table_members = {}
for name, member in pairs(table) do table_members[name] = member end
table_members.getn = function(list) return #list end
table_members.maxn = function(list)
  local largest = 0
  for key in pairs(list) do
    if type(key) == 'number' and key > largest then largest = key end
  end
  return largest
end

local globals = {
  assert = assert, error = error, getmetatable = getmetatable, ipairs = ipairs, next = next, pairs = pairs,
  rawequal = rawequal, rawget = rawget, rawset = rawset, select = select, setmetatable = setmetatable,
  tostring = tostring, type = type, unpack = unpack, xpcall = xpcall, pcall = pcall_5_1,
  tonumber = float_result(tonumber), _VERSION = 'Lua 5.1',
  string = readonly(string_members), math = readonly(math_members), table = readonly(table_members),
  coroutine = readonly(coroutine),
  redis = readonly({
    call = host.call,
    pcall = host.pcall,
    error_reply = function(text) return { err = (gsub(text, '^-', '')) } end,
    status_reply = function(text) return { ok = text } end,
    sha1hex = host.sha1hex,
    log = function() end,
    replicate_commands = function() return true end,
    set_repl = function() end,
    LOG_DEBUG = 0, LOG_VERBOSE = 1, LOG_NOTICE = 2, LOG_WARNING = 3,
  }),
  cjson = readonly({ encode = host.encode, decode = host.decode, null = host.null }),
}
local environment = setmetatable({}, {
  __index = function(_, name)
    local value = globals[name]
    if value == nil then
      error("Script attempted to access nonexistent global variable '" .. tostring(name) .. "'", 2)
    end
    return value
  end,
  __newindex = refuse_change,
})
globals._G = environment
globals.loadstring = function(source, name) return load(host.dialect(source), name, 't', environment) end

return {
  compile = function(source) return load(source, '@user_script', 't', environment) end,
  run = function(chunk, keys, argv)
    globals.KEYS, globals.ARGV = keys, argv
    return chunk()
  end,
}
`
