import { useState } from 'preact/hooks'
import type { Invitation } from '../../../../src/http/wire.ts'
import { getInvitations, withdrawInvitation } from '../../api/access.ts'
import { ROLE_LABELS } from '../../domain/roles.ts'
import { formatInstant, formatRelative } from '../../format/dates.ts'
import { useNow } from '../../state/now.ts'
import { useResource } from '../../state/resource.ts'
import { useMe, useTimezone } from '../../state/session.tsx'
import { useToast } from '../../state/toasts.tsx'
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx'
import { LinkIcon, PlusIcon } from '../../ui/icons.tsx'
import { Panel } from '../../ui/page.tsx'
import { EmptyState, ErrorState, SkeletonRows } from '../../ui/states.tsx'
import { ACTIONS_COLUMN, TableHead } from '../../ui/table.tsx'
import { BrandTags } from './brand-tags.tsx'
import { InviteDialog } from './invite-dialog.tsx'

const STATE_WORDS: Readonly<Record<Invitation['state'], string>> = {
  open: 'open',
  accepted: 'used',
  withdrawn: 'withdrawn',
  expired: 'expired',
}

/** Whom an invitation is for, in words. */
function guestOf({ email }: Invitation): string {
  return email ?? 'Whoever has the link'
}

/** What became of an invitation, and when. */
function Fate({ invitation }: { invitation: Invitation }) {
  const timezone = useTimezone()
  const nowMs = useNow()
  const { state, acceptedAt, expiresAt } = invitation
  const at = state === 'accepted' ? acceptedAt : state === 'withdrawn' ? null : expiresAt
  if (at === null) return <>{STATE_WORDS[state]}</>
  return (
    <time dateTime={at} title={formatInstant(at, timezone)}>
      {state === 'open' ? 'expires' : STATE_WORDS[state]} {formatRelative(at, nowMs)}
    </time>
  )
}

function InvitationTable({
  invitations,
  withdraw,
}: {
  invitations: readonly Invitation[]
  withdraw: ((invitation: Invitation) => void) | null
}) {
  return (
    <table class="table table-stacked invitations-table">
      <TableHead
        columns={[
          'For',
          'Role',
          'Sees',
          'Invited by',
          withdraw === null ? 'What became of it' : 'Expires',
          withdraw !== null && ACTIONS_COLUMN,
        ]}
      />
      <tbody>
        {invitations.map((invitation) => (
          <tr key={invitation.id}>
            <th scope="row" class="member-email">
              {guestOf(invitation)}
            </th>
            <td data-label="Role">{ROLE_LABELS[invitation.role]}</td>
            <td data-label="Sees">
              <BrandTags brands={invitation.brands} />
            </td>
            <td data-label="Invited by" class="quiet">
              {invitation.invitedBy ?? 'somebody who left'}
            </td>
            <td data-label={withdraw === null ? 'What became of it' : 'Expires'} class="quiet">
              <Fate invitation={invitation} />
            </td>
            {withdraw !== null && (
              <td class="actions-cell">
                <button
                  type="button"
                  class="button button-quiet button-danger"
                  onClick={() => withdraw(invitation)}
                >
                  Withdraw
                  <span class="visually-hidden"> the invitation for {guestOf(invitation)}</span>
                </button>
              </td>
            )}
          </tr>
        ))}
      </tbody>
    </table>
  )
}

/** Links by which people join, those that still work and those that do not. */
export function InvitationsPanel() {
  const { workspace } = useMe()
  const toast = useToast()
  const { data, error, reload } = useResource(`invitations ${workspace.id}`, (signal) =>
    getInvitations(workspace.id, signal),
  )
  const [inviting, setInviting] = useState(false)
  const [withdrawing, setWithdrawing] = useState<Invitation | null>(null)
  const open = data?.filter(({ state }) => state === 'open') ?? []
  const over = data?.filter(({ state }) => state !== 'open') ?? []

  const withdraw = async (invitation: Invitation) => {
    await withdrawInvitation(workspace.id, invitation.id)
    setWithdrawing(null)
    toast({ message: 'The invitation was withdrawn.' })
    await reload()
  }

  return (
    <Panel
      title="Invitations"
      aside={
        <button type="button" class="button button-primary" onClick={() => setInviting(true)}>
          <PlusIcon size={16} /> Invite
        </button>
      }
    >
      {data === undefined ? (
        error === undefined ? (
          <SkeletonRows count={2} />
        ) : (
          <ErrorState error={error} retry={() => void reload()} />
        )
      ) : open.length === 0 ? (
        <EmptyState icon={<LinkIcon size={28} />} title="No invitation is open.">
          <p class="quiet">People join by a link that you send them.</p>
        </EmptyState>
      ) : (
        <InvitationTable invitations={open} withdraw={setWithdrawing} />
      )}
      {over.length > 0 && (
        <details class="earlier">
          <summary>Used, withdrawn and expired ({over.length})</summary>
          <InvitationTable invitations={over} withdraw={null} />
        </details>
      )}
      {inviting && <InviteDialog onClose={() => setInviting(false)} onCreated={() => void reload()} />}
      {withdrawing && (
        <ConfirmDialog
          title="Withdraw the invitation?"
          action="Withdraw it"
          keep="Keep it"
          onClose={() => setWithdrawing(null)}
          run={() => withdraw(withdrawing)}
        >
          <p>
            The link for <strong>{withdrawing.email ?? 'whoever has it'}</strong> stops working. This cannot
            be undone; you can make another one.
          </p>
        </ConfirmDialog>
      )}
    </Panel>
  )
}
