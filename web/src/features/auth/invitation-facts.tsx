import type { InvitationPreview } from '../../../../src/http/wire.ts'
import { ROLE_HELP, ROLE_LABELS } from '../../domain/roles.ts'
import { formatInstant } from '../../format/dates.ts'

/** The reader's own clock: which workspace's it would be is yet to be seen. */
const HERE = new Intl.DateTimeFormat().resolvedOptions().timeZone

/** What an invitation is to, as whom, from whom, and until when. */
export function InvitationFacts({ invitation }: { invitation: InvitationPreview }) {
  const { workspaceName, role, email, invitedBy, expiresAt } = invitation
  return (
    <dl class="facts invitation-facts">
      <div class="invitation-wide">
        <dt>Workspace</dt>
        <dd class="breaking">{workspaceName}</dd>
      </div>
      <div>
        <dt>Your role</dt>
        <dd>
          {ROLE_LABELS[role]} <span class="quiet small">{ROLE_HELP[role]}</span>
        </dd>
      </div>
      {invitedBy !== null && (
        <div>
          <dt>Invited by</dt>
          <dd class="breaking">{invitedBy}</dd>
        </div>
      )}
      {email !== null && (
        <div class="invitation-wide">
          <dt>For</dt>
          <dd class="breaking">{email}</dd>
        </div>
      )}
      <div>
        <dt>Good until</dt>
        <dd>
          <time dateTime={expiresAt}>{formatInstant(expiresAt, HERE)}</time>
        </dd>
      </div>
    </dl>
  )
}
