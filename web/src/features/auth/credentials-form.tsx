import { signIn, signUp } from '../../api/auth.ts'
import { Field } from '../../ui/field.tsx'
import { PasswordField } from '../../ui/password-field.tsx'
import { FormFailure, SubmitButton } from './form-parts.tsx'
import { emailProblem, lengthProblem } from './form-words.ts'
import { useForm } from './use-form.ts'

export type CredentialsMode = 'sign-in' | 'sign-up'

const SUBMIT: Record<CredentialsMode, { label: string; busy: string }> = {
  'sign-in': { label: 'Sign in', busy: 'Signing in…' },
  'sign-up': { label: 'Create account', busy: 'Creating your account…' },
}

/** Signs in, or up. */
export function CredentialsForm({
  mode,
  email,
  invitation,
  onDone,
}: {
  mode: CredentialsMode
  /** The only address that will do here, where there is one. */
  email?: string | undefined
  /** The token of the link that somebody signs up by. */
  invitation?: string
  /** What follows; its failure is shown in the form. */
  onDone: () => Promise<void>
}) {
  const isNew = mode === 'sign-up'
  const { errors, failure, busy, submit } = useForm({
    fields: isNew ? (['name', 'email', 'password'] as const) : (['email', 'password'] as const),
    check(field, value) {
      if (field === 'name') return value('name').trim() === '' ? 'Say what we may call you.' : null
      if (field === 'email') return emailProblem(value('email'))
      if (isNew) return lengthProblem(value('password'))
      return value('password') === '' ? 'Give your password.' : null
    },
    async send(value) {
      const credentials = { email: value('email').trim(), password: value('password') }
      if (isNew) await signUp({ name: value('name').trim(), ...credentials, invitation })
      else await signIn(credentials)
      await onDone()
    },
  })
  return (
    <form
      class="sign-in-form"
      method="post"
      action={`/${mode}`}
      noValidate
      onSubmit={(event) => void submit(event)}
    >
      {isNew && (
        <Field
          label="Name"
          name="name"
          type="text"
          autocomplete="name"
          maxLength={100}
          error={errors.get('name')}
          required
        />
      )}
      <Field
        label="E-mail"
        name="email"
        type="email"
        inputmode="email"
        autocomplete="username"
        autocapitalize="none"
        spellcheck={false}
        maxLength={320}
        defaultValue={email}
        readOnly={email !== undefined}
        error={errors.get('email')}
        hint={email === undefined ? undefined : 'The invitation is for this address.'}
        required
      />
      <PasswordField isNew={isNew} error={errors.get('password')} />
      <FormFailure text={failure} />
      <SubmitButton busy={busy}>{busy ? SUBMIT[mode].busy : SUBMIT[mode].label}</SubmitButton>
    </form>
  )
}
