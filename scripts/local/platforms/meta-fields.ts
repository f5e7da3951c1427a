import { graphError } from './meta-errors.ts'

/** One field of a Graph API `fields` expression: `picture.type(large){url}`. */
export interface GraphField {
  name: string
  args: ReadonlyMap<string, string>
  /** What stands in braces; none: the object's usual fields. */
  fields: readonly GraphField[] | undefined
}

/** Reads a `fields` expression. @throws ApiError code 2500 when it is none, or names a field twice */
export function parseFields(text: string): GraphField[] {
  let at = 0
  const bad = (message: string) => graphError(2500, `Syntax error "${message}" at character ${at}`)
  const name = (): string => {
    const found = /^[a-z_][a-z0-9_]*/i.exec(text.slice(at))?.[0]
    if (found === undefined) throw bad('Expected name')
    at += found.length
    return found
  }
  const args = (): Map<string, string> => {
    const read = new Map<string, string>()
    while (text[at] === '.') {
      at += 1
      const argument = name()
      const value = /^\(([^()]*)\)/.exec(text.slice(at))
      if (value?.[1] === undefined) throw bad('Expected an argument')
      read.set(argument, value[1])
      at += value[0].length
    }
    return read
  }
  const braces = (): GraphField[] => {
    at += 1
    const fields = list()
    if (text[at] !== '}') throw bad('Expected end of braces')
    at += 1
    return fields
  }
  const list = (): GraphField[] => {
    const fields: GraphField[] = []
    for (;;) {
      const field = { name: name(), args: args(), fields: text[at] === '{' ? braces() : undefined }
      if (fields.some((other) => other.name === field.name))
        throw bad(`Field ${field.name} specified more than once`)
      fields.push(field)
      if (text[at] !== ',') return fields
      at += 1
    }
  }
  const fields = list()
  if (at !== text.length) throw bad('Expected end of string')
  return fields
}

/** What an object has to say, each field for itself; undefined: nothing, so the field is left out. */
export type GraphNode = Readonly<Record<string, (field: GraphField) => unknown>>

/** The fields of a node that were asked for. @throws ApiError code 100 for one that it does not have */
export function selectFields(node: GraphNode, fields: readonly GraphField[]): Record<string, unknown> {
  const selected: Record<string, unknown> = {}
  for (const field of fields) {
    const read = Object.hasOwn(node, field.name) ? node[field.name] : undefined
    if (!read) throw graphError(100, `Tried accessing nonexisting field (${field.name})`)
    const value = read(field)
    if (value !== undefined) selected[field.name] = value
  }
  return selected
}

/** A node of constant values, of which the fields asked for are shown, or all. */
export function showNode(
  values: Readonly<Record<string, unknown>>,
  fields: readonly GraphField[] | undefined,
): Record<string, unknown> {
  const names = Object.keys(values)
  const node: GraphNode = Object.fromEntries(names.map((name) => [name, () => values[name]]))
  return selectFields(node, fields ?? names.map(plainField))
}

/** A field without anything to it. */
export function plainField(name: string): GraphField {
  return { name, args: new Map(), fields: undefined }
}
