import { useEffect, useRef, useState } from 'preact/hooks'
import { MIN_PASSWORD_LENGTH, signIn, signUp } from '../../api/auth.ts'
import { type ApiError, asApiError } from '../../api/http.ts'
import { formatDuration } from '../../format/dates.ts'
import { Link } from '../../state/router.tsx'
import { useSession } from '../../state/session.tsx'
import { SeaPicture, TideMark } from '../../ui/brand.tsx'
import { Field } from '../../ui/field.tsx'

type Mode = 'sign-in' | 'sign-up'
type FieldName = 'name' | 'email' | 'password'
type Errors = Partial<Record<FieldName, string>>

const WORDS: Record<Mode, { title: string; lead: string; submit: string; busy: string }> = {
  'sign-in': {
    title: 'Welcome back',
    lead: 'Sign in to see where the water stands.',
    submit: 'Sign in',
    busy: 'Signing in…',
  },
  'sign-up': {
    title: 'Create your account',
    lead: 'It takes a minute; then connect the first account.',
    submit: 'Create account',
    busy: 'Creating your account…',
  },
}

function check(mode: Mode, values: Record<FieldName, string>): Errors {
  const errors: Errors = {}
  if (mode === 'sign-up' && values.name.trim() === '') errors.name = 'Say what we may call you.'
  if (!/^\S+@\S+$/.test(values.email.trim())) errors.email = 'Give an e-mail address.'
  if (values.password === '') errors.password = 'Give your password.'
  else if (mode === 'sign-up' && values.password.length < MIN_PASSWORD_LENGTH)
    errors.password = `Use at least ${MIN_PASSWORD_LENGTH} characters.`
  return errors
}

function failureText(error: ApiError): string {
  if (error.status !== 429) return error.message
  const wait = error.retryAfterSeconds === null ? 'a few minutes' : formatDuration(error.retryAfterSeconds)
  return `Too many attempts. Try again in ${wait}.`
}

function text(form: FormData, name: FieldName): string {
  const value = form.get(name)
  return typeof value === 'string' ? value : ''
}

function SignInForm({ mode }: { mode: Mode }) {
  const { refresh } = useSession()
  const [errors, setErrors] = useState<Errors>({})
  const [failure, setFailure] = useState<string | null>(null)
  const [busy, setBusy] = useState(false)
  const [visible, setVisible] = useState(false)
  const words = WORDS[mode]

  // Read from the form, not from state: password managers fill fields without telling.
  const submit = async (event: SubmitEvent) => {
    event.preventDefault()
    const form = event.currentTarget
    if (!(form instanceof HTMLFormElement) || busy) return
    const data = new FormData(form)
    const values = { name: text(data, 'name'), email: text(data, 'email'), password: text(data, 'password') }
    const found = check(mode, values)
    setErrors(found)
    setFailure(null)
    const [firstWrong] = Object.keys(found)
    if (firstWrong !== undefined) {
      form.querySelector<HTMLInputElement>(`[name=${firstWrong}]`)?.focus()
      return
    }
    setBusy(true)
    try {
      const email = values.email.trim()
      if (mode === 'sign-in') await signIn({ email, password: values.password })
      else await signUp({ name: values.name.trim(), email, password: values.password })
      await refresh()
    } catch (error) {
      setFailure(failureText(asApiError(error)))
    } finally {
      setBusy(false)
    }
  }

  return (
    <form
      class="sign-in-form"
      method="post"
      action={`/${mode}`}
      noValidate
      onSubmit={(event) => void submit(event)}
    >
      {mode === 'sign-up' && (
        <Field label="Name" name="name" type="text" autocomplete="name" error={errors.name} required />
      )}
      <Field
        label="E-mail"
        name="email"
        type="email"
        inputmode="email"
        autocomplete="username"
        autocapitalize="none"
        spellcheck={false}
        error={errors.email}
        required
      />
      <Field
        label="Password"
        name="password"
        type={visible ? 'text' : 'password'}
        autocomplete={mode === 'sign-in' ? 'current-password' : 'new-password'}
        minLength={mode === 'sign-up' ? MIN_PASSWORD_LENGTH : undefined}
        error={errors.password}
        hint={mode === 'sign-up' ? `At least ${MIN_PASSWORD_LENGTH} characters.` : undefined}
        required
        after={
          <button
            type="button"
            class="field-button"
            aria-pressed={visible}
            aria-label="Show the password"
            onClick={() => setVisible(!visible)}
          >
            {visible ? 'Hide' : 'Show'}
          </button>
        }
      />
      {failure !== null && (
        <p class="form-error" role="alert">
          {failure}
        </p>
      )}
      <button type="submit" class="button button-primary button-wide" aria-disabled={busy}>
        {busy ? words.busy : words.submit}
      </button>
    </form>
  )
}

/** The way in, and the first thing anybody sees. */
export function SignInPage({ mode }: { mode: Mode }) {
  const words = WORDS[mode]
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    document.title = `${mode === 'sign-in' ? 'Sign in' : 'Sign up'} · Tidemark`
    heading.current?.focus()
  }, [mode])
  const other = mode === 'sign-in' ? 'sign-up' : 'sign-in'
  return (
    <div class="sign-in">
      <header class="sign-in-sea">
        <SeaPicture />
        <div class="sign-in-brand">
          <span class="wordmark">
            <TideMark size={36} />
            <span>Tidemark</span>
          </span>
          <p class="sign-in-line">What rose, what fell, and what is rising right now.</p>
        </div>
      </header>
      <main class="sign-in-main" id="content">
        <div class="sign-in-card">
          <h1 ref={heading} tabIndex={-1}>
            {words.title}
          </h1>
          <p class="quiet">{words.lead}</p>
          <SignInForm mode={mode} />
          <p class="sign-in-other">
            {mode === 'sign-in' ? 'New here?' : 'Have an account already?'}{' '}
            <Link href={`/${other}${window.location.search}`}>{WORDS[other].submit}</Link>
          </p>
        </div>
      </main>
    </div>
  )
}
