import { asApiError } from '../api/http.ts'
import { Link } from '../state/router.tsx'
import { useMe, useSession } from '../state/session.tsx'
import { setTheme, type Theme, useTheme } from '../state/theme.ts'
import { useToast } from '../state/toasts.tsx'
import { MoonIcon, PersonIcon, SunIcon, SystemThemeIcon } from '../ui/icons.tsx'
import { Popover } from '../ui/popover.tsx'
import { Segmented } from '../ui/segmented.tsx'

const THEME_OPTIONS = [
  { value: 'light', label: <SunIcon size={18} />, name: 'Light', title: 'Light' },
  { value: 'dark', label: <MoonIcon size={18} />, name: 'Dark', title: 'Dark' },
  { value: 'system', label: <SystemThemeIcon size={18} />, name: 'As the system', title: 'As the system' },
] as const

/** Light, dark, or whatever the system says. */
export function ThemeChooser() {
  const theme = useTheme()
  return <Segmented<Theme> legend="Theme" options={THEME_OPTIONS} value={theme} onChange={setTheme} />
}

/** Who is signed in, the theme, and the way out. */
export function UserMenu() {
  const me = useMe()
  const { leave } = useSession()
  const toast = useToast()
  const signOut = async () => {
    try {
      await leave()
    } catch (error) {
      toast({ message: asApiError(error).message, tone: 'bad' })
    }
  }
  return (
    <Popover
      label={<PersonIcon />}
      name="Your account and theme"
      panelLabel="Your account and theme"
      align="end"
      buttonClass="icon-button masthead-button"
      chevron={false}
    >
      {(close) => (
        <div class="user-menu">
          <div>
            <strong>{me.user?.name ?? me.apiKey?.name}</strong>
            <div class="quiet small ellipsis">{me.user?.email}</div>
          </div>
          <div class="menu-field">
            <span>Theme</span>
            <ThemeChooser />
          </div>
          <div class="menu-links">
            {me.user !== null && (
              <Link class="button button-quiet" href="/profile" onClick={close}>
                Your profile
              </Link>
            )}
            {me.operator && (
              <Link class="button button-quiet" href="/operator" onClick={close}>
                Deployment
              </Link>
            )}
            <a class="button button-quiet" href="/docs">
              API documentation
            </a>
          </div>
          <button type="button" class="button" onClick={() => void signOut()}>
            Sign out
          </button>
        </div>
      )}
    </Popover>
  )
}
