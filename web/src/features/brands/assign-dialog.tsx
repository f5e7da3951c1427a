import { useState } from 'preact/hooks'
import type { Account, Brand } from '../../../../src/http/wire.ts'
import { assignBrand } from '../../api/access.ts'
import { type ApiError, asApiError } from '../../api/http.ts'
import { matchesText } from '../../domain/account-status.ts'
import { useAccounts } from '../../state/accounts.tsx'
import { useBrands } from '../../state/brands.tsx'
import { useMe } from '../../state/session.tsx'
import { accountName, accountSubtitle } from '../../ui/avatar.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { FormActions } from '../../ui/form-actions.tsx'
import { FormProblem } from '../../ui/form-problem.tsx'
import { PlatformBadge } from '../../ui/platform-badge.tsx'
import { EmptyState } from '../../ui/states.tsx'

/** From so many accounts on, the list can be searched. */
const LONG_LIST = 8

function AccountChoice({
  account,
  of,
  checked,
  locked,
  toggle,
}: {
  account: Account
  of: Brand
  checked: boolean
  locked: boolean
  toggle: (on: boolean) => void
}) {
  const { byId } = useBrands()
  const other = account.brandId === null || account.brandId === of.id ? undefined : byId.get(account.brandId)
  return (
    <label class="choice">
      <input
        type="checkbox"
        checked={checked}
        disabled={locked}
        onChange={(event) => toggle(event.currentTarget.checked)}
      />
      <span class="choice-account">
        <PlatformBadge platform={account.platform} named />
        <span class="ellipsis">
          {accountName(account)} <span class="quiet">{accountSubtitle(account)}</span>
        </span>
        {other && <span class="tag ellipsis">now in {other.name}</span>}
      </span>
    </label>
  )
}

/** Chooses the accounts of a brand. */
export function AssignDialog({
  brand,
  onDone,
  onClose,
}: {
  brand: Brand
  /** Told how many accounts were changed. */
  onDone: (count: number) => void
  onClose: () => void
}) {
  const accounts = useAccounts()
  const me = useMe()
  const list = accounts.data ?? []
  const [chosen, setChosen] = useState<ReadonlySet<string>>(
    () => new Set(list.filter(({ brandId }) => brandId === brand.id).map(({ id }) => id)),
  )
  const [text, setText] = useState('')
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<ApiError | null>(null)
  // Whoever is limited to brands moves accounts between theirs, and takes none out of all.
  const limited = me.brands !== null
  const changes = list.filter(({ id, brandId }) => chosen.has(id) !== (brandId === brand.id))

  const submit = async (event: Event) => {
    event.preventDefault()
    if (busy || changes.length === 0) return
    setBusy(true)
    setError(null)
    try {
      for (const { id } of changes) await assignBrand(id, chosen.has(id) ? brand.id : null)
      onDone(changes.length)
    } catch (failure) {
      setError(asApiError(failure))
      setBusy(false)
      // Those before it were changed.
      void accounts.reload()
    }
  }

  return (
    <Dialog title={`Accounts of “${brand.name}”`} onClose={onClose}>
      <form class="stacked-form" noValidate onSubmit={(event) => void submit(event)}>
        {list.length > LONG_LIST && (
          <input
            class="input"
            type="search"
            placeholder="Search by name or handle"
            aria-label="Search by name or handle"
            value={text}
            onInput={(event) => setText(event.currentTarget.value)}
          />
        )}
        {list.length === 0 ? (
          <EmptyState title="There are no accounts yet." />
        ) : (
          <ul class="choices assign-choices">
            {list
              .filter((account) => matchesText(account, text))
              .map((account) => (
                <li key={account.id}>
                  <AccountChoice
                    account={account}
                    of={brand}
                    checked={chosen.has(account.id)}
                    locked={limited && account.brandId === brand.id}
                    toggle={(on) => {
                      const next = new Set(chosen)
                      if (on) next.add(account.id)
                      else next.delete(account.id)
                      setChosen(next)
                    }}
                  />
                </li>
              ))}
          </ul>
        )}
        <p class="quiet small">An account is in one brand at most.</p>
        <FormProblem error={error} />
        <FormActions onClose={onClose} ready={!busy && changes.length > 0}>
          {busy ? 'Saving…' : 'Save'}
        </FormActions>
      </form>
    </Dialog>
  )
}
