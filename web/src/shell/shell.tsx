import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import { Link, useLocation } from '../state/router.tsx'
import { TideMark, WaveEdge } from '../ui/brand.tsx'
import { AccountsIcon, ImportIcon, OverviewIcon, PostsIcon, SettingsIcon } from '../ui/icons.tsx'
import { CreateWorkspaceDialog } from './create-workspace-dialog.tsx'
import { LiveIndicator } from './live-indicator.tsx'
import { UserMenu } from './user-menu.tsx'
import { WorkspaceSwitcher } from './workspace-switcher.tsx'

const SECTIONS = [
  { href: '/', label: 'Overview', Icon: OverviewIcon },
  { href: '/posts', label: 'Posts', Icon: PostsIcon },
  { href: '/accounts', label: 'Accounts', Icon: AccountsIcon },
  { href: '/imports', label: 'Imports', Icon: ImportIcon },
  { href: '/settings', label: 'Settings', Icon: SettingsIcon },
] as const

function isWithin(path: string, href: string): boolean {
  if (href === '/accounts' && path === '/connect') return true
  return href === '/' ? path === '/' : path === href || path.startsWith(`${href}/`)
}

/** What surrounds every page: the water line above it, and the ways to the other pages. */
export function Shell({ children }: { children: ComponentChildren }) {
  const { path } = useLocation()
  const [creating, setCreating] = useState(false)
  return (
    <>
      <a class="skip-link" href="#content">
        Skip to the content
      </a>
      <header class="masthead">
        <div class="masthead-row">
          <Link class="wordmark" href="/" aria-label="Tidemark, to the overview">
            <TideMark />
            <span>Tidemark</span>
          </Link>
          <WorkspaceSwitcher create={() => setCreating(true)} />
          <nav class="sections" aria-label="Sections">
            {SECTIONS.map(({ href, label, Icon }) => (
              <Link
                key={href}
                class="section-link"
                href={href}
                aria-current={isWithin(path, href) ? 'page' : undefined}
              >
                <Icon />
                <span>{label}</span>
              </Link>
            ))}
          </nav>
          <LiveIndicator />
          <UserMenu />
        </div>
        <WaveEdge />
      </header>
      {children}
      {creating && <CreateWorkspaceDialog onClose={() => setCreating(false)} />}
    </>
  )
}
