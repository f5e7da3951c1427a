import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import { Popover } from './popover.tsx'

export interface Choice {
  value: string
  /** What is searched. */
  text: string
  /** What the button says when this alone is chosen. */
  summary: string
  label: ComponentChildren
}

/** Any number of a list, none meaning all of them; with a search field where the list is long. */
export function MultiSelect({
  name,
  choices,
  selected,
  onChange,
}: {
  /** Plural: `Accounts`. */
  name: string
  choices: readonly Choice[]
  selected: readonly string[]
  onChange: (selected: string[]) => void
}) {
  const [search, setSearch] = useState('')
  const needle = search.trim().toLowerCase()
  const shown = choices.filter((choice) => choice.text.toLowerCase().includes(needle))
  const only = selected.length === 1 ? choices.find((choice) => choice.value === selected[0]) : undefined
  const summary =
    selected.length === 0
      ? `All ${name.toLowerCase()}`
      : (only?.summary ?? `${selected.length} ${name.toLowerCase()}`)

  const toggle = (value: string, on: boolean) =>
    onChange(on ? [...selected, value] : selected.filter((other) => other !== value))

  return (
    <Popover
      label={<span class="button-text">{summary}</span>}
      name={`${name}: ${summary}`}
      panelLabel={name}
      buttonClass={`button ${selected.length > 0 ? 'is-chosen' : ''}`}
    >
      {() => (
        <>
          {choices.length > 8 && (
            <input
              class="input popover-search"
              type="search"
              placeholder={`Search ${name.toLowerCase()}`}
              aria-label={`Search ${name.toLowerCase()}`}
              value={search}
              onInput={(event) => setSearch(event.currentTarget.value)}
            />
          )}
          <ul class="choices">
            {shown.map((choice) => (
              <li key={choice.value}>
                <label class="choice">
                  <input
                    type="checkbox"
                    checked={selected.includes(choice.value)}
                    onChange={(event) => toggle(choice.value, event.currentTarget.checked)}
                  />
                  <span>{choice.label}</span>
                </label>
              </li>
            ))}
            {shown.length === 0 && <li class="quiet choice">Nothing found.</li>}
          </ul>
          <button
            type="button"
            class="button button-quiet"
            disabled={selected.length === 0}
            onClick={() => onChange([])}
          >
            Show all {name.toLowerCase()}
          </button>
        </>
      )}
    </Popover>
  )
}
