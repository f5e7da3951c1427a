/** How much of something is used, as a bar: calm, then amber when little is left, red beyond it. */
export function Level({
  used,
  most,
  end = most,
  label,
}: {
  used: number
  /** From here on there is nothing left. */
  most: number
  /** Where the bar ends, if not there. */
  end?: number
  label: string
}) {
  return (
    <meter
      class="level"
      min={0}
      max={Math.max(end, used)}
      low={most * 0.8}
      high={most}
      optimum={0}
      value={used}
      aria-label={label}
    />
  )
}
