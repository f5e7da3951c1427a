import { useState } from 'preact/hooks'
import { requestPasswordReset } from '../../api/auth.ts'
import { useDeployment } from '../../state/deployment.ts'
import { Link } from '../../state/router.tsx'
import { Field } from '../../ui/field.tsx'
import { AuthFrame } from './auth-frame.tsx'
import { FormFailure, SubmitButton } from './form-parts.tsx'
import { emailProblem } from './form-words.ts'
import { useForm } from './use-form.ts'

const BackToSignIn = () => (
  <div class="sign-in-help">
    <p>
      <Link href="/sign-in">Back to signing in</Link>
    </p>
  </div>
)

function AskForm({ onSent }: { onSent: (email: string) => void }) {
  const { errors, failure, busy, submit } = useForm({
    fields: ['email'] as const,
    check: (_, value) => emailProblem(value('email')),
    async send(value) {
      const email = value('email').trim()
      await requestPasswordReset(email)
      onSent(email)
    },
  })
  return (
    <form class="sign-in-form" method="post" noValidate onSubmit={(event) => void submit(event)}>
      <Field
        label="E-mail"
        name="email"
        type="email"
        inputmode="email"
        autocomplete="username"
        autocapitalize="none"
        spellcheck={false}
        maxLength={320}
        error={errors.get('email')}
        required
      />
      <FormFailure text={failure} />
      <SubmitButton busy={busy}>{busy ? 'Sending…' : 'Send a link'}</SubmitButton>
    </form>
  )
}

/** Asks for a link by which another password can be set. */
export function ForgotPasswordPage() {
  const { data: deployment } = useDeployment()
  const [sentTo, setSentTo] = useState<string | null>(null)
  if (deployment?.mail === false)
    return (
      <AuthFrame
        title="Forgot your password?"
        lead="This deployment cannot send mail. Ask whoever runs it to let you in again."
      >
        <BackToSignIn />
      </AuthFrame>
    )
  if (sentTo !== null)
    return (
      <AuthFrame title="Look into your mail">
        <div class="sign-in-words" role="status">
          <p>
            If somebody has an account with <strong class="breaking">{sentTo}</strong>, a link to choose a new
            password is on its way there. It works once, for half an hour.
          </p>
          <p class="quiet">Nothing came? Look among the junk mail, and see whether the address is right.</p>
        </div>
        <button type="button" class="button button-wide" onClick={() => setSentTo(null)}>
          Ask again
        </button>
        <BackToSignIn />
      </AuthFrame>
    )
  return (
    <AuthFrame
      title="Forgot your password?"
      lead="Give your e-mail address; a link to choose a new password is sent there."
    >
      <AskForm onSent={setSentTo} />
      <BackToSignIn />
    </AuthFrame>
  )
}
