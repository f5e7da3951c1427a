/** Uses over the window as a small area from zero; a picture of the numbers beside it. */
export function Sparkline({ values }: { values: readonly number[] }) {
  const width = 96
  const height = 28
  const top = Math.max(1, ...values)
  const step = values.length > 1 ? width / (values.length - 1) : width
  const points = values.map((value, i) => [i * step, height - 2 - (value / top) * (height - 5)] as const)
  const line = points.map(([x, y]) => `${x.toFixed(1)} ${y.toFixed(1)}`).join('L')
  const last = points[points.length - 1]
  return (
    <svg
      class="sparkline"
      viewBox={`-1 0 ${width + 5} ${height}`}
      width={width}
      height={height}
      aria-hidden="true"
    >
      {points.length > 1 && (
        <>
          <path class="sparkline-area" d={`M${line}L${width} ${height - 1}L0 ${height - 1}Z`} />
          <path class="sparkline-line" d={`M${line}`} />
        </>
      )}
      {last && <circle class="sparkline-dot" cx={last[0]} cy={last[1]} r="2.5" />}
    </svg>
  )
}
