import { useState } from 'preact/hooks'
import type { ApiKey } from '../../../../src/http/wire.ts'
import { getApiKeys, revokeApiKey } from '../../api/access.ts'
import { formatDate, formatInstant, formatRelative } from '../../format/dates.ts'
import { formatCount } from '../../format/numbers.ts'
import { useNow } from '../../state/now.ts'
import { useResource } from '../../state/resource.ts'
import { useTimezone } from '../../state/session.tsx'
import { useToast } from '../../state/toasts.tsx'
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx'
import { KeyIcon, PlusIcon } from '../../ui/icons.tsx'
import { Panel } from '../../ui/page.tsx'
import { EmptyState, ErrorState, SkeletonRows } from '../../ui/states.tsx'
import { ACTIONS_COLUMN, TableHead } from '../../ui/table.tsx'
import { CreateKeyDialog } from './create-key-dialog.tsx'

/** What a key may do a minute, where that is less than everybody may. */
function limitWords({ readsPerMinute, writesPerMinute }: ApiKey['limits']): string {
  const words = [
    readsPerMinute === null ? '' : `${formatCount(readsPerMinute)} reads`,
    writesPerMinute === null ? '' : `${formatCount(writesPerMinute)} writes`,
  ].filter((part) => part !== '')
  return words.length === 0 ? 'as everybody' : `${words.join(', ')} a minute`
}

function KeyRow({ apiKey, revoke }: { apiKey: ApiKey; revoke: () => void }) {
  const timezone = useTimezone()
  const nowMs = useNow()
  const expired = apiKey.expiresAt !== null && Date.parse(apiKey.expiresAt) <= nowMs
  const lastUsed = apiKey.lastUsedAt
  return (
    <tr>
      <th scope="row">
        <strong>{apiKey.name}</strong>
        <div class="quiet small">
          <code>{apiKey.prefix}…</code>
        </div>
      </th>
      <td data-label="Scopes">
        {apiKey.scopes.map((scope) => (
          <span key={scope} class="tag">
            {scope}
          </span>
        ))}
      </td>
      <td data-label="Limits" class="quiet">
        {limitWords(apiKey.limits)}
      </td>
      <td data-label="Made by" class="quiet">
        {apiKey.createdBy ?? 'somebody who left'}
      </td>
      <td data-label="Last used" class="quiet">
        {lastUsed === null ? (
          'never'
        ) : (
          <time dateTime={lastUsed} title={formatInstant(lastUsed, timezone)}>
            {formatRelative(lastUsed, nowMs)}
          </time>
        )}
      </td>
      <td data-label="Expires" class="quiet">
        {apiKey.expiresAt === null ? 'never' : expired ? 'expired' : formatDate(apiKey.expiresAt, timezone)}
      </td>
      <td class="actions-cell">
        <button type="button" class="button button-quiet button-danger" onClick={revoke}>
          Revoke<span class="visually-hidden"> {apiKey.name}</span>
        </button>
      </td>
    </tr>
  )
}

function KeyTable({ keys, revoke }: { keys: readonly ApiKey[]; revoke: (key: ApiKey) => void }) {
  return (
    <table class="table table-stacked keys-table">
      <TableHead columns={['Key', 'Scopes', 'Limits', 'Made by', 'Last used', 'Expires', ACTIONS_COLUMN]} />
      <tbody>
        {keys.map((apiKey) => (
          <KeyRow key={apiKey.id} apiKey={apiKey} revoke={() => revoke(apiKey)} />
        ))}
      </tbody>
    </table>
  )
}

/** The keys with which programs ask the API. */
export function ApiKeysPanel() {
  const toast = useToast()
  const keys = useResource('api-keys', (signal) => getApiKeys(signal))
  const [creating, setCreating] = useState(false)
  const [revoking, setRevoking] = useState<ApiKey | null>(null)
  const inUse = keys.data

  const revoke = async (key: ApiKey) => {
    await revokeApiKey(key.id)
    setRevoking(null)
    toast({ message: `The key “${key.name}” was revoked.` })
    await keys.reload()
  }

  return (
    <Panel
      title="API keys"
      aside={
        <button type="button" class="button" onClick={() => setCreating(true)}>
          <PlusIcon size={16} /> Create key
        </button>
      }
    >
      <p class="quiet">
        Everything on these pages comes from the API, and your own programs may ask it too.{' '}
        <a href="/docs">Read its documentation</a>.
      </p>
      {inUse === undefined ? (
        keys.error === undefined ? (
          <SkeletonRows count={2} />
        ) : (
          <ErrorState error={keys.error} retry={() => void keys.reload()} />
        )
      ) : inUse.length === 0 ? (
        <EmptyState icon={<KeyIcon size={28} />} title="There are no keys yet." />
      ) : (
        <KeyTable keys={inUse} revoke={setRevoking} />
      )}
      {creating && (
        <CreateKeyDialog onClose={() => setCreating(false)} onCreated={() => void keys.reload()} />
      )}
      {revoking && (
        <ConfirmDialog
          title={`Revoke “${revoking.name}”?`}
          action="Revoke the key"
          keep="Keep it"
          onClose={() => setRevoking(null)}
          run={() => revoke(revoking)}
        >
          <p>Programs that use this key are refused from now on. This cannot be undone.</p>
        </ConfirmDialog>
      )}
    </Panel>
  )
}
