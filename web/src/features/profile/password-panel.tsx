import { changePassword } from '../../api/auth.ts'
import { useToast } from '../../state/toasts.tsx'
import { Panel } from '../../ui/page.tsx'
import { PasswordField } from '../../ui/password-field.tsx'
import { FormFailure } from '../auth/form-parts.tsx'
import { lengthProblem } from '../auth/form-words.ts'
import { useForm } from '../auth/use-form.ts'

/** Sets another password, and ends other sessions unless asked not to. */
export function PasswordPanel({ email, onChanged }: { email: string; onChanged: () => void }) {
  const toast = useToast()
  const { errors, failure, busy, submit } = useForm({
    fields: ['currentPassword', 'newPassword', 'others'] as const,
    check(field, value) {
      if (field === 'others') return null
      if (field === 'newPassword') return lengthProblem(value('newPassword'))
      return value('currentPassword') === '' ? 'Give the password that you have now.' : null
    },
    async send(value, form) {
      const revokeOtherSessions = value('others') !== ''
      await changePassword({
        currentPassword: value('currentPassword'),
        newPassword: value('newPassword'),
        revokeOtherSessions,
      })
      form.reset()
      toast({
        message: revokeOtherSessions
          ? 'Your password was changed, and every other session ended.'
          : 'Your password was changed.',
      })
      onChanged()
    },
  })
  return (
    <Panel title="Password">
      <form class="profile-form" method="post" noValidate onSubmit={(event) => void submit(event)}>
        {/* Password managers want to know whose password it is. */}
        <input type="email" autocomplete="username" value={email} readOnly hidden />
        <PasswordField
          label="Current password"
          name="currentPassword"
          error={errors.get('currentPassword')}
        />
        <PasswordField label="New password" name="newPassword" isNew error={errors.get('newPassword')} />
        <label class="choice profile-choice">
          <input type="checkbox" name="others" value="end" defaultChecked />
          <span>Sign out everywhere else</span>
        </label>
        <FormFailure text={failure} />
        <div class="profile-actions">
          <button type="submit" class="button button-primary" aria-disabled={busy}>
            {busy ? 'Changing it…' : 'Change the password'}
          </button>
        </div>
      </form>
    </Panel>
  )
}
