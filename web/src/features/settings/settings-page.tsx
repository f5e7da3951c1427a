import type { ComponentChildren } from 'preact'
import type { Permission } from '../../../../src/http/wire.ts'
import { Link, useLocation } from '../../state/router.tsx'
import { useMe } from '../../state/session.tsx'
import { Page } from '../../ui/page.tsx'

const SECTIONS: readonly { href: string; label: string; needs?: Permission }[] = [
  { href: '/settings', label: 'General' },
  { href: '/settings/team', label: 'Team' },
  { href: '/settings/brands', label: 'Brands' },
  { href: '/settings/usage', label: 'Usage', needs: 'usage.read' },
  { href: '/settings/audit-log', label: 'Audit log', needs: 'audit.read' },
]

/** A section of the settings, with the ways to the others that the reader may see. */
export function SettingsPage({
  title,
  lead,
  actions,
  children,
}: {
  title: string
  lead?: ComponentChildren
  actions?: ComponentChildren
  children: ComponentChildren
}) {
  const { path } = useLocation()
  const { permissions } = useMe()
  const shown = SECTIONS.filter(({ needs }) => needs === undefined || permissions.includes(needs))
  return (
    <Page title={title} lead={lead} actions={actions}>
      <nav class="subsections" aria-label="Settings">
        {shown.map(({ href, label }) => (
          <Link
            key={href}
            class="subsection-link"
            href={href}
            aria-current={path === href ? 'page' : undefined}
          >
            {label}
          </Link>
        ))}
      </nav>
      {children}
    </Page>
  )
}
