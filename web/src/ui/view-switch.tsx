import type { ComponentChildren } from 'preact'
import { BarsIcon, LineIcon, TableIcon } from './icons.tsx'
import { Segmented } from './segmented.tsx'

export type ChartView = 'bars' | 'line' | 'table'

const VIEWS: Record<ChartView, { name: string; icon: ComponentChildren }> = {
  bars: { name: 'Show as bars', icon: <BarsIcon size={18} /> },
  line: { name: 'Show as a line', icon: <LineIcon size={18} /> },
  table: { name: 'Show as table', icon: <TableIcon size={18} /> },
}

/** How a series is shown: drawn, or as the table of its numbers. */
export function ViewSwitch<V extends ChartView>({
  views,
  view,
  onChange,
}: {
  views: readonly V[]
  view: V
  onChange: (view: V) => void
}) {
  return (
    <Segmented<V>
      legend="Show as"
      options={views.map((value) => {
        const { name, icon } = VIEWS[value]
        return { value, label: icon, name, title: name }
      })}
      value={view}
      onChange={onChange}
    />
  )
}
