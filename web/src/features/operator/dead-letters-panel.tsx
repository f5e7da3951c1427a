import { useState } from 'preact/hooks'
import type { DeadLetter } from '../../../../src/http/wire.ts'
import { dropDeadLetter, getDeadLetters, retryDeadLetter } from '../../api/access.ts'
import { asApiError } from '../../api/http.ts'
import { formatInstant, formatRelative } from '../../format/dates.ts'
import { plural } from '../../format/numbers.ts'
import { useNow } from '../../state/now.ts'
import { usePaged } from '../../state/paged.ts'
import { useTimezone } from '../../state/session.tsx'
import { useToast } from '../../state/toasts.tsx'
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx'
import { CheckIcon } from '../../ui/icons.tsx'
import { LoadMore } from '../../ui/load-more.tsx'
import { Panel } from '../../ui/page.tsx'
import { Banner, EmptyState, ErrorState, SkeletonRows } from '../../ui/states.tsx'
import { ACTIONS_COLUMN, TableHead } from '../../ui/table.tsx'

const PAGE_SIZE = 25

function LetterRow({
  letter,
  busy,
  retry,
  drop,
}: {
  letter: DeadLetter
  busy: boolean
  retry: () => void
  drop: () => void
}) {
  const nowMs = useNow()
  const timezone = useTimezone()
  const { callback, cause, attempts, status, createdAt, workspaceId } = letter
  return (
    <tr>
      <th scope="row">
        <code class="letter-callback">{callback}</code>
        <p class="quiet small letter-cause">
          {cause ?? 'No answer.'}
          {workspaceId !== null && <> Workspace {workspaceId}.</>}
        </p>
      </th>
      <td data-label="Given up" class="quiet">
        <time dateTime={createdAt} title={formatInstant(createdAt, timezone)}>
          {formatRelative(createdAt, nowMs)}
        </time>
      </td>
      <td data-label="Attempts" class="number">
        {attempts ?? '–'}
      </td>
      <td data-label="Last answer" class="number">
        {status ?? 'none'}
      </td>
      <td class="actions-cell">
        <button type="button" class="button button-quiet" disabled={busy} onClick={retry}>
          Retry<span class="visually-hidden"> {callback}</span>
        </button>
        <button type="button" class="button button-quiet button-danger" disabled={busy} onClick={drop}>
          Drop<span class="visually-hidden"> {callback}</span>
        </button>
      </td>
    </tr>
  )
}

/** Messages that the queue has given up. */
export function DeadLettersPanel() {
  const toast = useToast()
  const list = usePaged('ops dead-letters', (cursor, signal) =>
    getDeadLetters({ limit: PAGE_SIZE, cursor }, signal),
  )
  const [dropping, setDropping] = useState<DeadLetter | null>(null)
  const [busyId, setBusyId] = useState<string | null>(null)
  const { items, error } = list

  const retry = async (letter: DeadLetter) => {
    setBusyId(letter.id)
    try {
      await retryDeadLetter(letter.id)
      toast({ message: `${letter.callback} is on its way again.` })
      await list.reload()
    } catch (failure) {
      toast({ message: asApiError(failure).message, tone: 'bad' })
    } finally {
      setBusyId(null)
    }
  }
  const drop = async (letter: DeadLetter) => {
    await dropDeadLetter(letter.id)
    setDropping(null)
    toast({ message: `${letter.callback} was dropped.` })
    await list.reload()
  }

  return (
    <Panel
      title="Dead letters"
      aside={
        items !== undefined &&
        items.length > 0 && (
          <span class="quiet small">
            {plural(items.length, 'message')}
            {list.hasMore ? ' and more' : ''}
          </span>
        )
      }
    >
      {items !== undefined && error !== undefined && (
        <Banner tone="bad">The list could not be refreshed. {error.message}</Banner>
      )}
      {items === undefined ? (
        error === undefined ? (
          <SkeletonRows count={2} />
        ) : (
          <ErrorState error={error} retry={() => void list.reload()} />
        )
      ) : items.length === 0 ? (
        <EmptyState icon={<CheckIcon size={28} />} title="Nothing was given up." />
      ) : (
        <>
          <table class="table table-stacked letters-table">
            <TableHead
              columns={[
                'Message',
                'Given up',
                { label: 'Attempts', number: true },
                { label: 'Last answer', number: true },
                ACTIONS_COLUMN,
              ]}
            />
            <tbody>
              {items.map((letter) => (
                <LetterRow
                  key={letter.id}
                  letter={letter}
                  busy={busyId === letter.id}
                  retry={() => void retry(letter)}
                  drop={() => setDropping(letter)}
                />
              ))}
            </tbody>
          </table>
          <LoadMore list={list} what="messages" />
        </>
      )}
      {dropping && (
        <ConfirmDialog
          title="Drop this message?"
          action="Drop it"
          keep="Keep it"
          onClose={() => setDropping(null)}
          run={() => drop(dropping)}
        >
          <p>
            <code>{dropping.callback}</code> is given up for good. What it would have done is not done, unless
            a schedule does it again.
          </p>
        </ConfirmDialog>
      )}
    </Panel>
  )
}
