import { useState } from 'preact/hooks'
import type { Member } from '../../../../src/http/wire.ts'
import { changeMember } from '../../api/access.ts'
import { type ApiError, asApiError } from '../../api/http.ts'
import { ROLES, rolesWithin } from '../../domain/roles.ts'
import { plural } from '../../format/numbers.ts'
import { useMe, useSession } from '../../state/session.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { FormActions } from '../../ui/form-actions.tsx'
import { FormProblem } from '../../ui/form-problem.tsx'
import { Banner } from '../../ui/states.tsx'
import { type Access, AccessFields, accessProblem, normalised } from './access-fields.tsx'

/** Whether rights go that were there, and with them what rested on them. */
function takesRights(from: Member, to: Access): boolean {
  if (ROLES.indexOf(to.role) > ROLES.indexOf(from.role)) return true
  const { brands } = normalised(to)
  return brands !== null && (from.brands === null || from.brands.some((id) => !brands.includes(id)))
}

/** Changes what a member may do, and what they see. */
export function ChangeMemberDialog({
  member,
  onChanged,
  onClose,
}: {
  member: Member
  onChanged: () => void
  onClose: () => void
}) {
  const { workspace, user } = useMe()
  const { refresh } = useSession()
  const [access, setAccess] = useState<Access>({ role: member.role, brands: member.brands })
  const [busy, setBusy] = useState(false)
  const [tried, setTried] = useState(false)
  const [error, setError] = useState<ApiError | null>(null)
  const isSelf = user?.id === member.userId
  const problem = accessProblem(access)
  const changed =
    JSON.stringify(normalised(access)) !== JSON.stringify({ role: member.role, brands: member.brands })

  const submit = async (event: Event) => {
    event.preventDefault()
    setTried(true)
    if (busy || !changed || problem !== null) return
    setBusy(true)
    setError(null)
    try {
      await changeMember(workspace.id, member.userId, normalised(access))
      onChanged()
      if (isSelf) await refresh()
    } catch (failure) {
      setError(asApiError(failure))
      setBusy(false)
    }
  }

  return (
    <Dialog title={`Change ${member.name}`} onClose={onClose}>
      <form class="stacked-form" noValidate onSubmit={(event) => void submit(event)}>
        <AccessFields access={access} roles={rolesWithin(workspace.role)} change={setAccess} />
        {takesRights(member, access) && (
          <Banner tone="warning">
            {isSelf ? 'You give' : 'This takes'} rights away
            {isSelf ? ' yourself, and cannot take them back alone' : ''}. API keys
            {member.apiKeys > 0 ? ` (${plural(member.apiKeys, 'key')} of theirs)` : ''} and open invitations
            that go beyond the new role are revoked, and open pages reconnect.
          </Banner>
        )}
        {tried && problem !== null && (
          <p class="field-error" role="alert">
            {problem}
          </p>
        )}
        <FormProblem error={error} />
        <FormActions onClose={onClose} ready={!busy && changed}>
          {busy ? 'Saving…' : 'Save'}
        </FormActions>
      </form>
    </Dialog>
  )
}
