import { expect, it } from 'vitest'
import { isAllowed, PERMISSIONS, type Permission } from '../../src/services/permissions.ts'
import { keyWith, member } from '../../test/harness/actors.ts'
import { checkPermissions, permissionsDocument } from './permissions.ts'

/** Cells of a permission's line. */
function cellsOf(name: string): string[] {
  const row = permissionsDocument()
    .split('\n')
    .find((line) => line.startsWith(`| \`${name}\` |`))
  return (row ?? '').split('|').map((cell) => cell.trim())
}

it.each(Object.keys(PERMISSIONS) as Permission[])('says of %s what is asked for it', (name) => {
  const [, , does, ...cells] = cellsOf(name)
  expect(does?.length).toBeGreaterThan(10)
  const roles = (['owner', 'admin', 'analyst', 'viewer'] as const).map((role) =>
    isAllowed(member(role), name) ? 'yes' : '–',
  )
  const limited = isAllowed(member('analyst', { brands: [] }), name)
  const scopes = (['read', 'write', 'admin'] as const).filter((scope) => isAllowed(keyWith(scope), name))
  expect(cells.slice(0, 4)).toEqual(roles)
  // Admins and owners cannot be limited.
  if (limited) expect(cells[4]).toBe('yes')
  expect(cells[5]).toBe(scopes.length === 0 ? 'none: people alone' : `\`${scopes.join()}\``)
})

it('accepts the document as it is made, and finds where another one differs', () => {
  const document = permissionsDocument()
  expect(checkPermissions(document)).toEqual([])
  const lines = document.split('\n')
  const table = lines.findIndex((line) => line.startsWith('| `audit.read`'))
  const edited = lines.with(table, lines[table]?.replace('yes', '–') ?? '').join('\n')
  expect(checkPermissions(edited)).toMatchObject([{ file: 'docs/permissions.md', line: table + 1 }])
  expect(checkPermissions(`${document}more\n`)).toHaveLength(1)
  expect(checkPermissions(document.slice(0, -1))).toHaveLength(1)
  expect(checkPermissions('')).toMatchObject([{ line: 1 }])
})
