import { useState } from 'preact/hooks'
import type { Brand } from '../../../../src/http/wire.ts'
import { removeBrand } from '../../api/access.ts'
import { formatDate } from '../../format/dates.ts'
import { plural } from '../../format/numbers.ts'
import { useAccounts } from '../../state/accounts.tsx'
import { useBrands } from '../../state/brands.tsx'
import { useMay } from '../../state/permissions.ts'
import { Link } from '../../state/router.tsx'
import { useMe, useTimezone } from '../../state/session.tsx'
import { useToast } from '../../state/toasts.tsx'
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx'
import { PlusIcon, TagIcon } from '../../ui/icons.tsx'
import { Panel } from '../../ui/page.tsx'
import { Banner, EmptyState, ErrorState, SkeletonRows } from '../../ui/states.tsx'
import { ACTIONS_COLUMN, TableHead } from '../../ui/table.tsx'
import { SettingsPage } from '../settings/settings-page.tsx'
import { AssignDialog } from './assign-dialog.tsx'
import { BrandDialog } from './brand-dialog.tsx'

/** What is being asked about a brand. */
type Asking = { kind: 'create' } | { kind: 'rename' | 'assign' | 'remove'; brand: Brand }

function BrandRow({ brand, ask }: { brand: Brand; ask: (asking: Asking) => void }) {
  const timezone = useTimezone()
  const mayWrite = useMay('brands.write')
  const mayAssign = useMay('accounts.write')
  const named = <span class="visually-hidden"> {brand.name}</span>
  return (
    <tr>
      <th scope="row" class="brand-name">
        <strong>{brand.name}</strong>
      </th>
      <td data-label="Accounts">
        {brand.accounts === 0 ? (
          <span class="quiet">none</span>
        ) : (
          <Link href={`/accounts?brand=${encodeURIComponent(brand.id)}`}>
            {plural(brand.accounts, 'account')}
          </Link>
        )}
      </td>
      <td data-label="Made" class="quiet">
        {formatDate(brand.createdAt, timezone)}
      </td>
      {(mayWrite || mayAssign) && (
        <td class="actions-cell">
          {mayAssign && (
            <button type="button" class="button button-quiet" onClick={() => ask({ kind: 'assign', brand })}>
              Accounts…<span class="visually-hidden"> of {brand.name}</span>
            </button>
          )}
          {mayWrite && (
            <>
              <button
                type="button"
                class="button button-quiet"
                onClick={() => ask({ kind: 'rename', brand })}
              >
                Rename{named}
              </button>
              <button
                type="button"
                class="button button-quiet button-danger"
                onClick={() => ask({ kind: 'remove', brand })}
              >
                Remove{named}
              </button>
            </>
          )}
        </td>
      )}
    </tr>
  )
}

function BrandTable({ brands, ask }: { brands: readonly Brand[]; ask: (asking: Asking) => void }) {
  const mayWrite = useMay('brands.write')
  const mayAssign = useMay('accounts.write')
  return (
    <table class="table table-stacked brands-table">
      <TableHead columns={['Brand', 'Accounts', 'Made', (mayWrite || mayAssign) && ACTIONS_COLUMN]} />
      <tbody>
        {brands.map((brand) => (
          <BrandRow key={brand.id} brand={brand} ask={ask} />
        ))}
      </tbody>
    </table>
  )
}

function RemoveBrandDialog({
  brand,
  onClose,
  done,
}: {
  brand: Brand
  onClose: () => void
  done: () => void
}) {
  return (
    <ConfirmDialog
      title={`Remove the brand “${brand.name}”?`}
      action="Remove the brand"
      keep="Keep it"
      onClose={onClose}
      run={async () => {
        await removeBrand(brand.id)
        done()
      }}
    >
      <p>
        {brand.accounts === 0
          ? 'No account is in it.'
          : `Its ${plural(brand.accounts, 'account')} and all their figures stay, without a brand.`}{' '}
        Members who are limited to it no longer see them.
      </p>
    </ConfirmDialog>
  )
}

/** Brands: groups of accounts, which figures can be narrowed to and members can be limited to. */
export function BrandsPage() {
  const me = useMe()
  const brands = useBrands()
  const accounts = useAccounts()
  const toast = useToast()
  const mayWrite = useMay('brands.write')
  const [asking, setAsking] = useState<Asking | null>(null)
  const { data, error } = brands

  const done = (message: string) => {
    setAsking(null)
    toast({ message })
    void brands.reload()
    void accounts.reload()
  }

  return (
    <SettingsPage
      title="Brands"
      actions={
        mayWrite && (
          <button type="button" class="button button-primary" onClick={() => setAsking({ kind: 'create' })}>
            <PlusIcon size={18} /> Make a brand
          </button>
        )
      }
    >
      {me.brands !== null && <Banner tone="info">You see the brands that you are limited to.</Banner>}
      <Panel
        title="All brands"
        aside={data && <span class="quiet small">{plural(data.length, 'brand')}</span>}
      >
        {data !== undefined && error !== undefined && (
          <Banner tone="bad">The list could not be refreshed. {error.message}</Banner>
        )}
        {data === undefined ? (
          error === undefined ? (
            <SkeletonRows count={3} />
          ) : (
            <ErrorState error={error} retry={() => void brands.reload()} />
          )
        ) : data.length === 0 ? (
          <EmptyState icon={<TagIcon size={28} />} title="There are no brands yet.">
            <p class="quiet">
              A brand groups accounts: figures can be narrowed to it, and members limited to it.
            </p>
          </EmptyState>
        ) : (
          <BrandTable brands={data} ask={setAsking} />
        )}
      </Panel>
      {asking?.kind === 'create' && (
        <BrandDialog
          brand={null}
          onClose={() => setAsking(null)}
          onDone={(name) => done(`The brand “${name}” was made.`)}
        />
      )}
      {asking?.kind === 'rename' && (
        <BrandDialog
          brand={asking.brand}
          onClose={() => setAsking(null)}
          onDone={(name) => done(`The brand is now called “${name}”.`)}
        />
      )}
      {asking?.kind === 'assign' && (
        <AssignDialog
          brand={asking.brand}
          onClose={() => setAsking(null)}
          onDone={(count) => done(`${plural(count, 'account')} changed.`)}
        />
      )}
      {asking?.kind === 'remove' && (
        <RemoveBrandDialog
          brand={asking.brand}
          onClose={() => setAsking(null)}
          done={() => done(`The brand “${asking.brand.name}” was removed.`)}
        />
      )}
    </SettingsPage>
  )
}
