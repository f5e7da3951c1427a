import { useState } from 'preact/hooks'
import type { Member } from '../../../../src/http/wire.ts'
import { removeMember } from '../../api/access.ts'
import { lastOwnerReason, ROLE_HELP, ROLE_LABELS } from '../../domain/roles.ts'
import { useMay } from '../../state/permissions.ts'
import { forgetResources } from '../../state/resource.ts'
import { navigate } from '../../state/router.tsx'
import { useMe, useSession } from '../../state/session.tsx'
import { useToast } from '../../state/toasts.tsx'
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx'
import { Panel } from '../../ui/page.tsx'
import { BrandTags } from './brand-tags.tsx'
import { TransferDialog } from './transfer-dialog.tsx'

/** Leaves, and goes on in another workspace. */
function LeaveDialog({ onClose }: { onClose: () => void }) {
  const { workspace, workspaces, user } = useMe()
  const { chooseWorkspace, refresh } = useSession()
  const toast = useToast()
  const next = workspaces.find(({ id }) => id !== workspace.id)
  const leave = async () => {
    if (user === null) return
    await removeMember(workspace.id, user.id)
    onClose()
    toast({ message: `You have left “${workspace.name}”.` })
    if (next !== undefined) return chooseWorkspace(next.id)
    forgetResources()
    navigate('/')
    await refresh()
  }
  return (
    <ConfirmDialog
      title={`Leave “${workspace.name}”?`}
      action="Leave"
      keep="Stay"
      onClose={onClose}
      run={leave}
    >
      <p>You get in again only with a new invitation. API keys that you made here are revoked.</p>
      <p class="quiet">
        {next === undefined ? 'You go on in a workspace of your own.' : `You go on in “${next.name}”.`}
      </p>
    </ConfirmDialog>
  )
}

/** What the reader is here, and the ways out. */
export function OwnPlacePanel({
  members,
  reload,
}: {
  /** As far as the reader may see them. */
  members: readonly Member[] | undefined
  reload: () => Promise<void>
}) {
  const me = useMe()
  const mayTransfer = useMay('workspace.transfer')
  const mayManage = useMay('members.manage')
  const [asking, setAsking] = useState<'leave' | 'transfer' | null>(null)
  const { role } = me.workspace
  if (me.user === null || role === null) return null
  const userId = me.user.id
  const stays = lastOwnerReason(members ?? [], userId)
  const heirs = (members ?? []).filter((member) => member.userId !== userId)
  return (
    <Panel title="Your place" aside={<span class="tag">{ROLE_LABELS[role]}</span>}>
      <dl class="facts">
        <div>
          <dt>What you may do</dt>
          <dd>{ROLE_HELP[role]}</dd>
        </div>
        <div>
          <dt>What you see</dt>
          <dd>
            <BrandTags brands={me.brands} />
          </dd>
        </div>
      </dl>
      {!mayManage && (
        <p class="quiet small">Owners and admins see and change who belongs to the workspace.</p>
      )}
      <div class="place-actions">
        {mayTransfer && (
          <button
            type="button"
            class="button"
            aria-disabled={heirs.length === 0}
            onClick={() => heirs.length > 0 && setAsking('transfer')}
          >
            Hand over…
          </button>
        )}
        <button
          type="button"
          class="button button-danger"
          aria-disabled={stays !== null}
          onClick={() => stays === null && setAsking('leave')}
        >
          Leave…
        </button>
      </div>
      {stays !== null && (
        <p class="quiet small">
          {heirs.length === 0
            ? 'You are the only member: to leave, invite somebody and hand the workspace over first.'
            : 'As the last owner you cannot leave: hand the workspace over first.'}
        </p>
      )}
      {asking === 'leave' && <LeaveDialog onClose={() => setAsking(null)} />}
      {asking === 'transfer' && (
        <TransferDialog
          heirs={heirs}
          onClose={() => setAsking(null)}
          onDone={() => {
            setAsking(null)
            void reload()
          }}
        />
      )}
    </Panel>
  )
}
