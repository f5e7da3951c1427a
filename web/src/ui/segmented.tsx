import type { ComponentChildren } from 'preact'
import { useId } from 'preact/hooks'

export interface SegmentedOption<T extends string> {
  value: T
  label: ComponentChildren
  /** The name, where `label` is only an icon. */
  name?: string
  title?: string
}

/** One of a few: radio buttons that look like a switch, so that arrow keys work as everybody knows them. */
export function Segmented<T extends string>({
  legend,
  options,
  value,
  onChange,
}: {
  legend: string
  options: readonly SegmentedOption<T>[]
  value: T
  onChange: (value: T) => void
}) {
  const group = useId()
  return (
    <fieldset class="segmented">
      <legend class="visually-hidden">{legend}</legend>
      {options.map((option) => (
        <label key={option.value} class="segment" title={option.title}>
          <input
            type="radio"
            name={group}
            value={option.value}
            checked={option.value === value}
            onChange={() => onChange(option.value)}
            aria-label={option.name}
          />
          <span>{option.label}</span>
        </label>
      ))}
    </fieldset>
  )
}
