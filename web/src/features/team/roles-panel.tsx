import { ROLE_LABELS, ROLE_RIGHTS, ROLES } from '../../domain/roles.ts'
import { CheckIcon } from '../../ui/icons.tsx'
import { Panel } from '../../ui/page.tsx'
import { ScrollRegion, TableHead } from '../../ui/table.tsx'

/** What each role may do. */
export function RolesPanel() {
  return (
    <Panel title="What each role may do">
      <ScrollRegion label="What each role may do">
        <table class="table roles-table">
          <TableHead
            columns={[{ label: 'Right', hidden: true }, ...ROLES.map((role) => ROLE_LABELS[role])]}
          />
          <tbody>
            {ROLE_RIGHTS.map(({ permission, does, roles }) => (
              <tr key={permission}>
                <th scope="row">{does}</th>
                {ROLES.map((role) => (
                  <td key={role}>
                    {roles.includes(role) ? (
                      <>
                        <CheckIcon size={18} />
                        <span class="visually-hidden">yes</span>
                      </>
                    ) : (
                      <>
                        <span class="quiet" aria-hidden="true">
                          –
                        </span>
                        <span class="visually-hidden">no</span>
                      </>
                    )}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </ScrollRegion>
      <p class="quiet small">
        Analysts and viewers can be limited to brands: they see and work with the accounts of those alone, and
        cannot import files.
      </p>
    </Panel>
  )
}
