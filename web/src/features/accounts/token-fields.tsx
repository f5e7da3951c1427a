import { Field } from '../../ui/field.tsx'

/** The name of the field that holds a token; it is read when the form is sent, and emptied at once. */
const TOKEN_FIELD = 'accessToken'

/** Takes the token out of a form: it is sent, and nowhere kept. */
export function takeToken(form: HTMLFormElement): string {
  const input = form.elements.namedItem(TOKEN_FIELD)
  if (!(input instanceof HTMLInputElement)) return ''
  const token = input.value.trim()
  input.value = ''
  return token
}

/** Where an access token is given, with what becomes of it. */
export function TokenFields({
  error,
  isSent,
  autoFocus = false,
}: {
  error: string | undefined
  /** Whether one was sent, and has to be given again. */
  isSent: boolean
  autoFocus?: boolean
}) {
  return (
    <div class="token-fields">
      <Field
        label="Access token"
        name={TOKEN_FIELD}
        type="password"
        maxLength={2_000}
        autocomplete="off"
        autocapitalize="none"
        autocorrect="off"
        spellcheck={false}
        autoFocus={autoFocus}
        error={error}
        hint={isSent ? 'The token was sent and is not kept in this page: paste it again.' : undefined}
      />
      <ul class="token-help">
        <li>
          For servers that show posts only to their users. Any user of that server makes one under Preferences
          → Development, with the scope <code>read</code>.
        </li>
        <li>The server is asked whether it is good; then it is stored encrypted, and never shown again.</li>
        <li>Posts read with a token never count in public trends.</li>
      </ul>
    </div>
  )
}
