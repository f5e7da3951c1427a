import { PERMISSIONS } from '../../src/services/permissions.ts'
import type { Finding } from './finding.ts'

/** Where the table of permissions is written down for people. */
export const PERMISSIONS_DOCUMENT = 'docs/permissions.md'

const UPDATE = 'node scripts/check/permissions-command.ts'

const ROLES = ['owner', 'admin', 'analyst', 'viewer'] as const

const INTRODUCTION = `# Permissions

Made from \`src/services/permissions.ts\` by \`${UPDATE}\`; \`npm run check\` fails where it is stale.

Everything that can be done in a workspace needs one of these permissions. In \`/openapi.json\` each operation names its own as \`x-permission\`; there, \`any\` is for whoever is signed in, \`public\` for everybody, and \`operator\` for those who run the deployment.
`

const CONCLUSION = `
- **People** have a role in each of their workspaces. Nobody changes or removes somebody above them, or gives more than they have; a workspace always has an owner.
- **Limited members** are analysts and viewers whom somebody has limited to brands. They see the accounts of those brands, and what belongs to them, and nothing of the others.
- **API keys** belong to one workspace and have scopes, each of which allows what its column says; a key with several scopes may do what each of them allows. Without the scope the answer is 403 \`insufficient_scope\`, without the role 403 \`insufficient_role\`.
- **Operators** run the deployment: the first person to sign up, those whom the database names, and those whom \`OPERATOR_EMAILS\` names once their address is verified. They reach \`/api/v1/ops/*\`, and no workspace of others. A key reaches it with the scope \`operator\`, for as long as whoever made it is an operator.
`

/** The document as it has to be. */
export function permissionsDocument(): string {
  const header = ['Permission', 'Allows to', ...ROLES, 'limited members', 'key scope']
  const rows = Object.entries(PERMISSIONS).map(([name, rule]) => [
    `\`${name}\``,
    `${rule.does.charAt(0).toLowerCase()}${rule.does.slice(1)}`,
    ...ROLES.map((role) => mark(rule.roles.some((allowed) => allowed === role))),
    mark(rule.withinBrands),
    rule.scope === null ? 'none: people alone' : `\`${rule.scope}\``,
  ])
  const table = [header, header.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`)
  return `${INTRODUCTION}\n${table.join('\n')}\n${CONCLUSION}`
}

function mark(is: boolean): string {
  return is ? 'yes' : '–'
}

/** Finds whether the document is not what the code says. @param source its text; '' where there is none */
export function checkPermissions(source: string): Finding[] {
  const lines = source.split('\n')
  const wanted = permissionsDocument().split('\n')
  const line = wanted.findIndex((text, i) => text !== lines[i])
  if (line < 0 && lines.length === wanted.length) return []
  return [
    {
      file: PERMISSIONS_DOCUMENT,
      line: (line < 0 ? wanted.length : line) + 1,
      rule: 'permissions',
      message: `is not what src/services/permissions.ts says: run \`${UPDATE}\``,
    },
  ]
}
