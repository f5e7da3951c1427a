import type { ComponentChildren } from 'preact'

/** A line icon on a 20-unit grid in the colour of its text. Decorative: its button or text carries the name. */
function Icon({ children, size = 20 }: { children: ComponentChildren; size?: number | undefined }) {
  return (
    <svg
      class="icon"
      width={size}
      height={size}
      viewBox="0 0 20 20"
      fill="none"
      stroke="currentColor"
      stroke-width="1.6"
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
    >
      {children}
    </svg>
  )
}

interface IconProps {
  size?: number
}

export const OverviewIcon = ({ size }: IconProps) => (
  <Icon size={size}>
    <path d="M2.5 6.5h2.5M8.8 6.5h2.4M15 6.5h2.5" />
    <path d="M2 12c2.7 0 2.7-2.2 5.3-2.2S10 12 12.7 12 15.3 9.8 18 9.8" />
    <path d="M2 16c2.7 0 2.7-2.2 5.3-2.2S10 16 12.7 16s2.6-2.2 5.3-2.2" />
  </Icon>
)
export const PostsIcon = ({ size }: IconProps) => (
  <Icon size={size}>
    <rect x="3" y="3.5" width="14" height="13" rx="2.5" />
    <path d="M6.5 8h7M6.5 11.8h4.5" />
  </Icon>
)
export const AccountsIcon = ({ size }: IconProps) => (
  <Icon size={size}>
    <circle cx="7.5" cy="7" r="3" />
    <path d="M2.5 16.5c.5-3 2.4-4.5 5-4.5s4.5 1.5 5 4.5M13 4.3a3 3 0 0 1 0 5.4M14.8 12.5c1.5.6 2.4 2 2.7 4" />
  </Icon>
)
export const ImportIcon = ({ size }: IconProps) => (
  <Icon size={size}>
    <path d="M10 3v8.5M6.5 8 10 11.5 13.5 8M3.5 13v2A1.5 1.5 0 0 0 5 16.5h10a1.5 1.5 0 0 0 1.5-1.5v-2" />
  </Icon>
)
export const SettingsIcon = ({ size }: IconProps) => (
  <Icon size={size}>
    <path d="M3 6h7M14.5 6H17M3 14h2.5M10 14h7" />
    <circle cx="12.2" cy="6" r="2.2" />
    <circle cx="7.7" cy="14" r="2.2" />
  </Icon>
)
export const PlusIcon = ({ size }: IconProps) => (
  <Icon size={size}>
    <path d="M10 4v12M4 10h12" />
  </Icon>
)
export const CrossIcon = ({ size }: IconProps) => (
  <Icon size={size}>
    <path d="m5.5 5.5 9 9M14.5 5.5l-9 9" />
  </Icon>
)
export const ChevronIcon = ({ size }: IconProps) => (
  <Icon size={size}>
    <path d="m5.5 8 4.5 4.5L14.5 8" />
  </Icon>
)
export const CheckIcon = ({ size }: IconProps) => (
  <Icon size={size}>
    <path d="m4.5 10.5 3.5 3.5 7.5-8" />
  </Icon>
)
export const InfoIcon = ({ size }: IconProps) => (
  <Icon size={size}>
    <circle cx="10" cy="10" r="7" />
    <path d="M10 9.3v4M10 6.6v.1" />
  </Icon>
)
export const WarningIcon = ({ size }: IconProps) => (
  <Icon size={size}>
    <path d="M10 3.5 17.3 16H2.7L10 3.5ZM10 8.5v3.3M10 13.8v.1" />
  </Icon>
)
export const ExternalIcon = ({ size }: IconProps) => (
  <Icon size={size}>
    <path d="M11.5 4H16v4.5M16 4l-7 7M14 11.5V15a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1V7a1 1 0 0 1 1-1h3.5" />
  </Icon>
)
export const SyncIcon = ({ size }: IconProps) => (
  <Icon size={size}>
    <path d="M16 8.5A6.3 6.3 0 0 0 4.7 6.8M4 11.5a6.3 6.3 0 0 0 11.3 1.7M4.3 3.5v3.6h3.6M15.7 16.5v-3.6h-3.6" />
  </Icon>
)
export const PauseIcon = ({ size }: IconProps) => (
  <Icon size={size}>
    <path d="M7 5v10M13 5v10" />
  </Icon>
)
export const PlayIcon = ({ size }: IconProps) => (
  <Icon size={size}>
    <path d="M6.5 4.5v11l9-5.5-9-5.5Z" />
  </Icon>
)
export const TrashIcon = ({ size }: IconProps) => (
  <Icon size={size}>
    <path d="M4 6h12M8 6V4h4v2M5.5 6l.7 10h7.6l.7-10M8.5 9v4.5M11.5 9v4.5" />
  </Icon>
)
export const CopyIcon = ({ size }: IconProps) => (
  <Icon size={size}>
    <rect x="7" y="7" width="9.5" height="9.5" rx="2" />
    <path d="M13 7V5.5a2 2 0 0 0-2-2H5.5a2 2 0 0 0-2 2V11a2 2 0 0 0 2 2H7" />
  </Icon>
)
export const SunIcon = ({ size }: IconProps) => (
  <Icon size={size}>
    <circle cx="10" cy="10" r="3.2" />
    <path d="M10 2.5v1.7M10 15.8v1.7M2.5 10h1.7M15.8 10h1.7M4.7 4.7l1.2 1.2M14.1 14.1l1.2 1.2M4.7 15.3l1.2-1.2M14.1 5.9l1.2-1.2" />
  </Icon>
)
export const MoonIcon = ({ size }: IconProps) => (
  <Icon size={size}>
    <path d="M16.5 11.8A7 7 0 0 1 8.2 3.5a7 7 0 1 0 8.3 8.3Z" />
  </Icon>
)
export const SystemThemeIcon = ({ size }: IconProps) => (
  <Icon size={size}>
    <rect x="3" y="4" width="14" height="9.5" rx="1.8" />
    <path d="M7.5 16.5h5M10 13.5v3" />
  </Icon>
)
export const TableIcon = ({ size }: IconProps) => (
  <Icon size={size}>
    <rect x="3" y="4" width="14" height="12" rx="1.8" />
    <path d="M3 8h14M3 12h14M8.5 8v8" />
  </Icon>
)
export const BarsIcon = ({ size }: IconProps) => (
  <Icon size={size}>
    <path d="M5 16V9.5M10 16V4M15 16v-4.5" />
  </Icon>
)
export const LineIcon = ({ size }: IconProps) => (
  <Icon size={size}>
    <path d="m3 14 4.5-5 3.5 3L17 5.5" />
  </Icon>
)
export const BackIcon = ({ size }: IconProps) => (
  <Icon size={size}>
    <path d="M16 10H4.5M9 5l-5 5 5 5" />
  </Icon>
)
export const KeyIcon = ({ size }: IconProps) => (
  <Icon size={size}>
    <circle cx="7" cy="13" r="3.5" />
    <path d="m9.5 10.5 6.5-6.5M13 7l2.5 2.5" />
  </Icon>
)
export const PersonIcon = ({ size }: IconProps) => (
  <Icon size={size}>
    <circle cx="10" cy="7" r="3.3" />
    <path d="M3.8 16.8c.6-3.2 3-4.8 6.2-4.8s5.6 1.6 6.2 4.8" />
  </Icon>
)
export const FileIcon = ({ size }: IconProps) => (
  <Icon size={size}>
    <path d="M5 3.5h6.5L15 7v9.5H5v-13ZM11 3.5V7.5h4M7.5 11h5M7.5 13.7h3" />
  </Icon>
)
export const LinkIcon = ({ size }: IconProps) => (
  <Icon size={size}>
    <path d="M8.3 11.7a3 3 0 0 0 4.3 0l3-3a3 3 0 0 0-4.3-4.3l-1 1M11.7 8.3a3 3 0 0 0-4.3 0l-3 3a3 3 0 0 0 4.3 4.3l1-1" />
  </Icon>
)
export const TagIcon = ({ size }: IconProps) => (
  <Icon size={size}>
    <path d="M3.5 10.2V4.5a1 1 0 0 1 1-1h5.7l6.3 6.3a1.4 1.4 0 0 1 0 2l-4.7 4.7a1.4 1.4 0 0 1-2 0L3.5 10.2Z" />
    <circle cx="7.2" cy="7.2" r="1" />
  </Icon>
)
export const LogIcon = ({ size }: IconProps) => (
  <Icon size={size}>
    <path d="M4.5 3.5h11v13h-11v-13ZM7.5 7h5M7.5 10h5M7.5 13h3" />
  </Icon>
)
export const DownloadIcon = ({ size }: IconProps) => (
  <Icon size={size}>
    <path d="M10 3.5v9M6.5 9 10 12.5 13.5 9M4 16.5h12" />
  </Icon>
)
