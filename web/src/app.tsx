import type { ComponentChildren } from 'preact'
import { useEffect, useErrorBoundary } from 'preact/hooks'
import { asApiError } from './api/http.ts'
import { AccountPage } from './features/accounts/account-page.tsx'
import { AccountsPage } from './features/accounts/accounts-page.tsx'
import { ConnectPage } from './features/accounts/connect-page.tsx'
import { ConnectProvider } from './features/accounts/connect-provider.tsx'
import { AuditPage } from './features/audit/audit-page.tsx'
import { ForgotPasswordPage } from './features/auth/forgot-password-page.tsx'
import { InvitePage } from './features/auth/invite-page.tsx'
import { ResetPasswordPage } from './features/auth/reset-password-page.tsx'
import { SignInPage } from './features/auth/sign-in-page.tsx'
import { VerifyEmailPage } from './features/auth/verify-email-page.tsx'
import { BrandsPage } from './features/brands/brands-page.tsx'
import { ImportsPage } from './features/imports/imports-page.tsx'
import { OperatorPage } from './features/operator/operator-page.tsx'
import { OverviewPage } from './features/overview/overview-page.tsx'
import { PostPage } from './features/posts/post-page.tsx'
import { PostsPage } from './features/posts/posts-page.tsx'
import { ProfilePage } from './features/profile/profile-page.tsx'
import { VerifyEmailBanner } from './features/profile/verify-email-banner.tsx'
import { GeneralPage } from './features/settings/general-page.tsx'
import { TeamPage } from './features/team/team-page.tsx'
import { UsagePage } from './features/usage/usage-page.tsx'
import { Shell } from './shell/shell.tsx'
import { AccountsProvider } from './state/accounts.tsx'
import { BrandsProvider } from './state/brands.tsx'
import { LiveProvider } from './state/live.tsx'
import { useMay } from './state/permissions.ts'
import { isOpenPath, isSignInPath, signInPath } from './state/return-path.ts'
import { Link, navigate, useLocation } from './state/router.tsx'
import { SessionProvider, useMe, useSession } from './state/session.tsx'
import { ToastProvider } from './state/toasts.tsx'
import { Page } from './ui/page.tsx'
import { EmptyState, ErrorState } from './ui/states.tsx'

function NotFoundPage() {
  return (
    <Page title="Nothing here">
      <section class="panel">
        <EmptyState title="This address leads nowhere.">
          <Link class="button" href="/">
            Go to the overview
          </Link>
        </EmptyState>
      </section>
    </Page>
  )
}

/** A part of the address as it was before it was encoded; `null` where nothing can have been encoded so. */
function decoded(part: string): string | null {
  try {
    return decodeURIComponent(part)
  } catch {
    return null
  }
}

/** A section of the settings, as far as the reader may see it. */
function SettingsSection({ name }: { name: string }) {
  const maySeeLog = useMay('audit.read')
  const maySeeUsage = useMay('usage.read')
  switch (name) {
    case '':
      return <GeneralPage />
    case 'team':
      return <TeamPage />
    case 'brands':
      return <BrandsPage />
    case 'usage':
      return maySeeUsage ? <UsagePage /> : <NotFoundPage />
    case 'audit-log':
      return maySeeLog ? <AuditPage /> : <NotFoundPage />
    default:
      return <NotFoundPage />
  }
}

function Routes() {
  const { operator } = useMe()
  const { path } = useLocation()
  const [, section = '', encodedId = '', ...more] = path.split('/')
  const id = decoded(encodedId)
  if (more.length > 0 || id === null) return <NotFoundPage />
  if (section === 'posts' && id !== '') return <PostPage key={id} id={id} />
  if (section === 'accounts' && id !== '') return <AccountPage key={id} id={id} />
  if (section === 'imports') return <ImportsPage key={id} id={id === '' ? null : id} />
  if (section === 'settings') return <SettingsSection name={id} />
  if (id !== '') return <NotFoundPage />
  switch (section) {
    case '':
      return <OverviewPage />
    case 'posts':
      return <PostsPage />
    case 'accounts':
      return <AccountsPage />
    case 'connect':
      return <ConnectPage />
    case 'operator':
      return operator ? <OperatorPage /> : <NotFoundPage />
    case 'profile':
      return <ProfilePage />
    default:
      return <NotFoundPage />
  }
}

/** A page that breaks takes nothing else with it: the ways to the others stay. */
function Guarded({ children }: { children: ComponentChildren }) {
  const [error]: [unknown, () => void] = useErrorBoundary((thrown: unknown) => console.error(thrown))
  if (error === undefined) return <>{children}</>
  return (
    <Page title="This page broke">
      <section class="panel">
        <ErrorState error={asApiError(error)} retry={() => window.location.reload()} />
      </section>
    </Page>
  )
}

/** A page that is shown without signing in. */
function OpenPage({ path }: { path: string }) {
  switch (path) {
    case '/forgot-password':
      return <ForgotPasswordPage />
    case '/reset-password':
      return <ResetPasswordPage />
    case '/verify-email':
      return <VerifyEmailPage />
    case '/invite':
      return <InvitePage />
    default:
      return <SignInPage key={path} mode={path === '/sign-up' ? 'sign-up' : 'sign-in'} />
  }
}

/** Sends whoever is not signed in to the sign-in page, which leads back here. */
function ToSignIn() {
  useEffect(() => {
    navigate(signInPath(window.location.pathname + window.location.search), { replace: true })
  }, [])
  return null
}

function Gate() {
  const { state, refresh } = useSession()
  const { path } = useLocation()
  if (isOpenPath(path) && (isSignInPath(path) ? state.kind !== 'signedIn' : state.kind !== 'loading'))
    return <OpenPage path={path} />
  switch (state.kind) {
    case 'loading':
      return (
        <div class="splash" role="status">
          <span class="visually-hidden">Loading</span>
        </div>
      )
    case 'signedOut':
      return <ToSignIn />
    case 'failed':
      return (
        <main class="splash">
          <ErrorState error={state.error} retry={() => void refresh()} />
        </main>
      )
    case 'signedIn':
      return (
        <LiveProvider key={state.me.workspace.id}>
          <BrandsProvider>
            <AccountsProvider>
              <ConnectProvider>
                <Shell>
                  <VerifyEmailBanner />
                  <Guarded key={path}>
                    <Routes />
                  </Guarded>
                </Shell>
              </ConnectProvider>
            </AccountsProvider>
          </BrandsProvider>
        </LiveProvider>
      )
  }
}

export function App() {
  return (
    <ToastProvider>
      <SessionProvider>
        <Gate />
      </SessionProvider>
    </ToastProvider>
  )
}
