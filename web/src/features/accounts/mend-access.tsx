import type { Account } from '../../../../src/http/wire.ts'
import { isBySigningIn } from '../../domain/connecting.ts'
import { accountName } from '../../ui/avatar.tsx'
import { platformLabel } from '../../ui/platform-badge.tsx'
import { RenewToken, takesToken } from './credentials-dialog.tsx'
import type { AccountActions } from './use-account-actions.ts'
import { useSignInThere } from './use-sign-in-there.ts'

function SignInAgain({ account }: { account: Account }) {
  const { going, error, go } = useSignInThere()
  const { platform, id } = account
  return (
    <>
      <button
        type="button"
        class="link-button"
        aria-disabled={going}
        onClick={() => {
          if (!going) void go(platform, { accountId: id })
        }}
      >
        {going ? `Going to ${platformLabel(platform)}…` : 'Sign in again'}
        <span class="visually-hidden"> for {accountName(account)}</span>
      </button>
      {error !== null && (
        <p class="field-error" role="alert">
          {error.message}
        </p>
      )}
    </>
  )
}

/** Beside the state of an account that is not read any more: the way to have it read again. */
export function MendAccess({
  account,
  actions,
  reload,
}: {
  account: Account
  actions: AccountActions
  reload: () => Promise<void>
}) {
  const { status, platform } = account
  if (status === 'needs_auth' && isBySigningIn(platform)) return <SignInAgain account={account} />
  if (status === 'needs_auth' && takesToken(account)) return <RenewToken account={account} reload={reload} />
  if (status !== 'needs_auth' && status !== 'gone' && status !== 'error') return null
  return (
    <button
      type="button"
      class="link-button"
      disabled={actions.busy.has(account.id)}
      onClick={() => void actions.setPaused(account, false)}
    >
      Try again<span class="visually-hidden"> to read {accountName(account)}</span>
    </button>
  )
}
