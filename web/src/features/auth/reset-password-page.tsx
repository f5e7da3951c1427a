import { useState } from 'preact/hooks'
import { resetPassword } from '../../api/auth.ts'
import { ApiError } from '../../api/http.ts'
import { Link } from '../../state/router.tsx'
import { useSession } from '../../state/session.tsx'
import { PasswordField } from '../../ui/password-field.tsx'
import { AuthFrame } from './auth-frame.tsx'
import { FormFailure, SubmitButton } from './form-parts.tsx'
import { lengthProblem } from './form-words.ts'
import { useForm } from './use-form.ts'
import { useLinkToken } from './use-link-token.ts'

function ResetForm({
  token,
  onDone,
  onDead,
}: {
  token: string
  onDone: () => void
  /** The link is of no use any more. */
  onDead: () => void
}) {
  const { errors, failure, busy, submit } = useForm({
    fields: ['newPassword'] as const,
    check: (_, value) => lengthProblem(value('newPassword')),
    async send(value) {
      try {
        await resetPassword(token, value('newPassword'))
      } catch (error) {
        if (!(error instanceof ApiError) || error.code !== 'gone') throw error
        onDead()
        return
      }
      onDone()
    },
  })
  return (
    <form class="sign-in-form" method="post" noValidate onSubmit={(event) => void submit(event)}>
      <PasswordField label="New password" name="newPassword" isNew error={errors.get('newPassword')} />
      <FormFailure text={failure} />
      <SubmitButton busy={busy}>{busy ? 'Setting it…' : 'Set the new password'}</SubmitButton>
    </form>
  )
}

/** Sets another password by the link of a mail. */
export function ResetPasswordPage() {
  const token = useLinkToken()
  const { forget } = useSession()
  const [done, setDone] = useState(false)
  const [deadToken, setDeadToken] = useState<string | null>(null)
  if (done)
    return (
      <AuthFrame
        title="Your password was changed"
        lead="You were signed out everywhere. Sign in with the new password."
      >
        <Link class="button button-primary button-wide sign-in-next" href="/sign-in">
          Sign in
        </Link>
      </AuthFrame>
    )
  if (token === '' || token === deadToken)
    return (
      <AuthFrame
        title="This link is no longer good"
        lead={
          token === ''
            ? 'It is not complete. Open it once more from the mail, or ask for a new one.'
            : 'It was used, or is older than half an hour. Ask for a new one.'
        }
      >
        <Link class="button button-primary button-wide sign-in-next" href="/forgot-password">
          Ask for a new link
        </Link>
      </AuthFrame>
    )
  return (
    <AuthFrame title="Choose a new password" lead="After that you sign in anew everywhere.">
      <ResetForm
        key={token}
        token={token}
        onDead={() => setDeadToken(token)}
        onDone={() => {
          // The link is spent, and so is whatever session there was.
          window.history.replaceState(null, '', '/reset-password')
          setDone(true)
          forget()
        }}
      />
    </AuthFrame>
  )
}
