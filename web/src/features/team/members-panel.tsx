import { useState } from 'preact/hooks'
import type { Member } from '../../../../src/http/wire.ts'
import { removeMember } from '../../api/access.ts'
import { lastOwnerReason, mayManage, ROLE_LABELS } from '../../domain/roles.ts'
import { formatDate, formatInstant } from '../../format/dates.ts'
import { formatCount, plural } from '../../format/numbers.ts'
import type { Resource } from '../../state/resource.ts'
import { useMe, useTimezone } from '../../state/session.tsx'
import { useToast } from '../../state/toasts.tsx'
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx'
import { Panel } from '../../ui/page.tsx'
import { Banner, ErrorState, SkeletonRows } from '../../ui/states.tsx'
import { ACTIONS_COLUMN, TableHead } from '../../ui/table.tsx'
import { BrandTags } from './brand-tags.tsx'
import { ChangeMemberDialog } from './change-member-dialog.tsx'

interface RowActions {
  change: (member: Member) => void
  remove: (member: Member) => void
}

/** Why a member cannot be changed by the reader; `null`: they can. */
function useLockedReason(): (members: readonly Member[], member: Member) => string | null {
  const { workspace } = useMe()
  return (members, member) =>
    mayManage(workspace.role, member.role)
      ? lastOwnerReason(members, member.userId)
      : 'Only an owner changes owners.'
}

function MemberRow({
  member,
  locked,
  actions,
}: {
  member: Member
  locked: string | null
  actions: RowActions
}) {
  const timezone = useTimezone()
  const isSelf = useMe().user?.id === member.userId
  return (
    <tr>
      <th scope="row">
        <strong>{member.name}</strong> {isSelf && <span class="tag">you</span>}
        <div class="quiet small member-email">{member.email}</div>
      </th>
      <td data-label="Role">{ROLE_LABELS[member.role]}</td>
      <td data-label="Sees">
        <BrandTags brands={member.brands} />
      </td>
      <td data-label="Joined" class="quiet">
        <time dateTime={member.joinedAt} title={formatInstant(member.joinedAt, timezone)}>
          {formatDate(member.joinedAt, timezone)}
        </time>
      </td>
      <td data-label="API keys" class="number">
        {formatCount(member.apiKeys)}
      </td>
      <td class="actions-cell">
        {locked !== null ? (
          <span class="quiet small locked">{locked}</span>
        ) : (
          <>
            <button type="button" class="button button-quiet" onClick={() => actions.change(member)}>
              Change<span class="visually-hidden"> {member.name}</span>
            </button>
            {!isSelf && (
              <button
                type="button"
                class="button button-quiet button-danger"
                onClick={() => actions.remove(member)}
              >
                Remove<span class="visually-hidden"> {member.name}</span>
              </button>
            )}
          </>
        )}
      </td>
    </tr>
  )
}

function MemberTable({ members, actions }: { members: readonly Member[]; actions: RowActions }) {
  const lockedReason = useLockedReason()
  return (
    <table class="table table-stacked members-table">
      <TableHead
        columns={['Member', 'Role', 'Sees', 'Joined', { label: 'API keys', number: true }, ACTIONS_COLUMN]}
      />
      <tbody>
        {members.map((member) => (
          <MemberRow
            key={member.userId}
            member={member}
            locked={lockedReason(members, member)}
            actions={actions}
          />
        ))}
      </tbody>
    </table>
  )
}

function RemoveDialog({ member, onClose, done }: { member: Member; onClose: () => void; done: () => void }) {
  const { workspace } = useMe()
  return (
    <ConfirmDialog
      title={`Remove ${member.name}?`}
      action="Remove them"
      keep="Keep them"
      onClose={onClose}
      run={async () => {
        await removeMember(workspace.id, member.userId)
        done()
      }}
    >
      <p>
        <strong>{member.email}</strong> no longer gets into “{workspace.name}”, from now on.
      </p>
      <ul class="goes-along">
        {member.apiKeys > 0 && (
          <li>
            {plural(member.apiKeys, 'API key')} that they made {member.apiKeys === 1 ? 'is' : 'are'} revoked:
            programs that use {member.apiKeys === 1 ? 'it' : 'them'} stop.
          </li>
        )}
        <li>Their open pages are disconnected.</li>
        <li>Invitations that they made and nobody has used are withdrawn.</li>
        <li>Accounts, imports and figures stay.</li>
      </ul>
    </ConfirmDialog>
  )
}

/** Everybody who belongs to the workspace. */
export function MembersPanel({ members }: { members: Resource<Member[]> }) {
  const toast = useToast()
  const [changing, setChanging] = useState<Member | null>(null)
  const [removing, setRemoving] = useState<Member | null>(null)
  const { data, error, reload } = members
  return (
    <Panel title="Members" aside={data && <span class="quiet small">{plural(data.length, 'member')}</span>}>
      {data !== undefined && error !== undefined && (
        <Banner tone="bad">The list could not be refreshed. {error.message}</Banner>
      )}
      {data !== undefined ? (
        <MemberTable members={data} actions={{ change: setChanging, remove: setRemoving }} />
      ) : error === undefined ? (
        <SkeletonRows count={3} />
      ) : (
        <ErrorState error={error} retry={() => void reload()} />
      )}
      {changing && (
        <ChangeMemberDialog
          member={changing}
          onClose={() => setChanging(null)}
          onChanged={() => {
            setChanging(null)
            toast({ message: `${changing.name} was changed.` })
            void reload()
          }}
        />
      )}
      {removing && (
        <RemoveDialog
          member={removing}
          onClose={() => setRemoving(null)}
          done={() => {
            setRemoving(null)
            toast({ message: `${removing.name} was removed.` })
            void reload()
          }}
        />
      )}
    </Panel>
  )
}
