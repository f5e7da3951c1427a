import type { ComponentChildren } from 'preact'

export type Column = string | { label: string; number?: boolean; optional?: boolean; hidden?: boolean }

/** The column of a row's buttons: it needs a name only for those who hear the table. */
export const ACTIONS_COLUMN: Column = { label: 'Actions', hidden: true }

/** The first row of a table: what stands in its columns. `false`, from a condition, is none. */
export function TableHead({ columns }: { columns: readonly (Column | false)[] }) {
  return (
    <thead>
      <tr>
        {columns.map((column) => {
          if (column === false) return null
          const { label, number, optional, hidden } = typeof column === 'string' ? { label: column } : column
          const names = [number && 'number', optional && 'optional'].filter(Boolean).join(' ')
          return (
            <th key={label} scope="col" class={names || undefined}>
              {hidden ? <span class="visually-hidden">{label}</span> : label}
            </th>
          )
        })}
      </tr>
    </thead>
  )
}

/** What may be larger than its place, and scrolls there: by the keyboard too. */
export function ScrollRegion({
  label,
  class: className = 'table-scroll',
  children,
}: {
  label: string
  class?: string
  children: ComponentChildren
}) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by the keyboard
    <section class={className} tabIndex={0} aria-label={label}>
      {children}
    </section>
  )
}
