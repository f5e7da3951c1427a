import { updateName } from '../../api/auth.ts'
import { useDeployment } from '../../state/deployment.ts'
import { useSession } from '../../state/session.tsx'
import { useToast } from '../../state/toasts.tsx'
import { Field } from '../../ui/field.tsx'
import { Panel } from '../../ui/page.tsx'
import { FormFailure } from '../auth/form-parts.tsx'
import { useForm } from '../auth/use-form.ts'
import { useSendVerification } from './use-send-verification.ts'

interface User {
  name: string
  email: string
  emailVerified: boolean
}

function NameForm({ name }: { name: string }) {
  const { refresh } = useSession()
  const toast = useToast()
  const { errors, failure, busy, submit } = useForm({
    fields: ['name'] as const,
    check: (_, value) => (value('name').trim() === '' ? 'Say what we may call you.' : null),
    async send(value) {
      const next = value('name').trim()
      if (next === name) return
      await updateName(next)
      await refresh()
      toast({ message: 'Your name was changed.' })
    },
  })
  return (
    <form class="profile-form" noValidate onSubmit={(event) => void submit(event)}>
      <Field
        label="Name"
        name="name"
        type="text"
        autocomplete="name"
        maxLength={100}
        defaultValue={name}
        error={errors.get('name')}
        required
      />
      <FormFailure text={failure} />
      <div class="profile-actions">
        <button type="submit" class="button" aria-disabled={busy}>
          {busy ? 'Saving…' : 'Save the name'}
        </button>
      </div>
    </form>
  )
}

/** Whether the address is known to be theirs, and how that is put right. */
function EmailState({ email, emailVerified }: User) {
  const { data: deployment } = useDeployment()
  const { busy, send } = useSendVerification(email)
  if (emailVerified) return <span class="status status-good">Confirmed</span>
  return (
    <>
      <span class="status status-warning">Not confirmed</span>
      <p class="quiet small profile-note">
        {deployment?.mail === false ? (
          'This deployment cannot send mail, so there is no way to confirm it.'
        ) : (
          <>
            Follow the link in the mail that was sent there; it is good for a day.{' '}
            <button type="button" class="link-button" aria-disabled={busy} onClick={() => void send()}>
              Send it again
            </button>
          </>
        )}
      </p>
    </>
  )
}

/** Who the reader is here. */
export function IdentityPanel({ user }: { user: User }) {
  return (
    <Panel title="You">
      <NameForm key={user.name} name={user.name} />
      <dl class="facts">
        <div>
          <dt>E-mail</dt>
          <dd class="breaking">
            {user.email} <EmailState {...user} />
          </dd>
        </div>
      </dl>
    </Panel>
  )
}
