import type { Account } from '../../../src/http/wire.ts'
import { useBrands } from '../state/brands.tsx'
import { accountName, accountSubtitle, atHandle } from './avatar.tsx'
import { MultiSelect } from './multi-select.tsx'
import { PlatformBadge, platformLabel } from './platform-badge.tsx'

interface FilterProps {
  accounts: readonly Account[]
  selected: readonly string[]
  onChange: (selected: string[]) => void
}

/** Some of the workspace's accounts. */
export function AccountFilterMenu({ accounts, selected, onChange }: FilterProps) {
  return (
    <MultiSelect
      name="Accounts"
      selected={selected}
      onChange={onChange}
      choices={accounts.map((account) => ({
        value: account.id,
        text: `${accountName(account)} ${atHandle(account.handle)}`,
        summary: accountName(account),
        label: (
          <span class="choice-account">
            <PlatformBadge platform={account.platform} named />
            <span class="ellipsis">
              {accountName(account)} <span class="quiet">{accountSubtitle(account)}</span>
            </span>
          </span>
        ),
      }))}
    />
  )
}

/** Some of the platforms that the workspace has accounts on. */
export function PlatformFilterMenu({ accounts, selected, onChange }: FilterProps) {
  const platforms = [...new Set(accounts.map((account) => account.platform))]
  return (
    <MultiSelect
      name="Platforms"
      selected={selected}
      onChange={onChange}
      choices={platforms.map((platform) => ({
        value: platform,
        text: platformLabel(platform),
        summary: platformLabel(platform),
        label: (
          <span class="choice-account">
            <PlatformBadge platform={platform} />
            {platformLabel(platform)}
          </span>
        ),
      }))}
    />
  )
}

/** Some of the workspace's brands; nothing where there are none. */
export function BrandFilterMenu({ selected, onChange }: Omit<FilterProps, 'accounts'>) {
  const brands = useBrands()
  const choices = brands.data ?? []
  if (choices.length === 0 && selected.length === 0) return null
  return (
    <MultiSelect
      name="Brands"
      selected={selected}
      onChange={onChange}
      choices={choices.map(({ id, name }) => ({ value: id, text: name, summary: name, label: name }))}
    />
  )
}
