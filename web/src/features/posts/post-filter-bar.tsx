import { useEffect, useId, useState } from 'preact/hooks'
import { POST_KINDS } from '../../../../src/domain/platforms.ts'
import type { Account } from '../../../../src/http/wire.ts'
import {
  isFiltered,
  isPostKind,
  isPostSort,
  normaliseHashtag,
  type PostFilters,
  SORT_LABELS,
  sortsFor,
} from '../../domain/post-filters.ts'
import { useSettled } from '../../state/now.ts'
import { AccountFilterMenu, BrandFilterMenu, PlatformFilterMenu } from '../../ui/account-filters.tsx'
import { DatesFilter } from '../../ui/dates-filter.tsx'
import { ChevronIcon, CrossIcon } from '../../ui/icons.tsx'
import { MultiSelect } from '../../ui/multi-select.tsx'
import { kindLabel } from '../../ui/post-kind.ts'

interface BarProps {
  filters: PostFilters
  change: (part: Partial<PostFilters>) => void
}

/** Waits until somebody has stopped typing before the list is asked. */
const TYPING_MS = 350

function TextSearch({ filters, change }: BarProps) {
  const [text, setText] = useState(filters.q)
  const settled = useSettled(text, TYPING_MS)
  // Only what was typed is a reason to ask
  useEffect(() => {
    if (settled.trim() !== filters.q.trim()) change({ q: settled })
  }, [settled])
  // Only a change from elsewhere (back, clear) replaces what is typed
  useEffect(() => {
    if (filters.q.trim() !== text.trim()) setText(filters.q)
  }, [filters.q])
  return (
    <input
      class="input input-search"
      type="search"
      placeholder="Search the text"
      aria-label="Search the text"
      maxLength={200}
      value={text}
      onInput={(event) => setText(event.currentTarget.value)}
    />
  )
}

function HashtagInput({ filters, change }: BarProps) {
  const [text, setText] = useState('')
  const add = () => {
    const tag = normaliseHashtag(text)
    if (tag === null) return
    setText('')
    if (!filters.hashtags.includes(tag)) change({ hashtags: [...filters.hashtags, tag] })
  }
  return (
    <form
      class="hashtag-form"
      onSubmit={(event) => {
        event.preventDefault()
        add()
      }}
    >
      <input
        class="input"
        type="text"
        placeholder="#hashtag"
        aria-label="Add a hashtag, then press Enter"
        autocapitalize="none"
        enterkeyhint="done"
        value={text}
        onInput={(event) => setText(event.currentTarget.value)}
        onBlur={add}
      />
    </form>
  )
}

/** Sorting and filters of the list of posts. */
export function PostFilterBar({
  filters,
  change,
  accounts,
  clear,
}: BarProps & { accounts: readonly Account[]; clear: () => void }) {
  // On a phone only; elsewhere there is room for all of them.
  const [open, setOpen] = useState(false)
  const restId = useId()
  return (
    <search class="toolbar" aria-label="Sorting and filters">
      <div class="toolbar-row">
        <TextSearch filters={filters} change={change} />
        <select
          class="input input-select"
          aria-label="Sort by"
          value={filters.sort}
          onChange={(event) => {
            const { value } = event.currentTarget
            if (isPostSort(value)) change({ sort: value })
          }}
        >
          {sortsFor(filters).map((sort) => (
            <option key={sort} value={sort}>
              {sort === '-postedAt' || sort === '-relevance'
                ? SORT_LABELS[sort]
                : `Most: ${SORT_LABELS[sort].toLowerCase()}`}
            </option>
          ))}
        </select>
        <button
          type="button"
          class={`button filter-toggle ${isFiltered({ ...filters, q: '' }) ? 'is-chosen' : ''}`}
          aria-expanded={open}
          aria-controls={restId}
          onClick={() => setOpen(!open)}
        >
          Filters <ChevronIcon size={16} />
        </button>
        <div id={restId} class={`filter-rest ${open ? 'is-open' : ''}`}>
          <PlatformFilterMenu
            accounts={accounts}
            selected={filters.platforms}
            onChange={(platforms) => change({ platforms })}
          />
          <BrandFilterMenu selected={filters.brands} onChange={(brands) => change({ brands })} />
          <AccountFilterMenu
            accounts={accounts}
            selected={filters.accounts}
            onChange={(chosen) => change({ accounts: chosen })}
          />
          <MultiSelect
            name="Kinds"
            selected={filters.kinds}
            onChange={(kinds) => change({ kinds: kinds.filter(isPostKind) })}
            choices={POST_KINDS.map((kind) => {
              const label = kindLabel(kind) ?? 'Post'
              return { value: kind, text: label, summary: label, label }
            })}
          />
          <HashtagInput filters={filters} change={change} />
          <DatesFilter bounds={filters} change={change} what="Published" panelLabel="When it was published" />
        </div>
      </div>
      {isFiltered(filters) && (
        <div class="chips">
          {filters.hashtags.map((tag) => (
            <button
              key={tag}
              type="button"
              class="chip"
              aria-label={`Remove the hashtag ${tag}`}
              onClick={() => change({ hashtags: filters.hashtags.filter((other) => other !== tag) })}
            >
              #{tag} <CrossIcon size={14} />
            </button>
          ))}
          <button type="button" class="link-button" onClick={clear}>
            Clear all filters
          </button>
        </div>
      )}
    </search>
  )
}
