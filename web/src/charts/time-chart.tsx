import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { zeroBasedScale } from '../domain/scale.ts'
import { onColoursChange } from '../state/theme.ts'

export type ChartMode = 'bars' | 'line'

export interface TimeChartProps {
  /** Rising; seconds since 1970, or positions. */
  xs: readonly number[]
  /** `null`: not known, drawn as a gap. */
  ys: readonly (number | null)[]
  mode: ChartMode
  /** Counts have no ticks between whole numbers. */
  whole: boolean
  /** Whether the last entry is of a time that is still running. */
  lastIsRunning: boolean
  /** Positions of the labels of the time axis, at most `maxLabels` of them. */
  ticksX: (maxLabels: number) => number[]
  formatTickX: (x: number) => string
  formatTickY: (y: number) => string
  /** What stands at an entry: its time and its value, in full. */
  describe: (index: number) => { time: string; value: string }
  /** What the chart shows, in a sentence. */
  label: string
}

/** Width of a label of the time axis, with some air; CSS pixels. */
const LABEL_WIDTH = 64
/** Between an entry and the words about it; CSS pixels. */
const TIP_GAP = 12

function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim()
}

/** Puts the words beside the entry, on the side where there is room, and never beyond the chart. */
function placeTip(tip: HTMLElement, entryLeft: number, chartWidth: number): void {
  const width = tip.offsetWidth
  const right = entryLeft + TIP_GAP
  const left = right + width <= chartWidth ? right : entryLeft - TIP_GAP - width
  tip.style.left = `${Math.max(0, Math.min(left, chartWidth - width))}px`
}

/** The finished entries, and the running one (with the one before it, where a line has to reach it). */
function splitRunning(props: TimeChartProps): uPlot.AlignedData {
  const last = props.ys.length - 1
  if (!props.lastIsRunning) return [[...props.xs], [...props.ys], props.ys.map(() => null)]
  const reach = props.mode === 'line' ? last - 1 : last
  return [
    [...props.xs],
    props.ys.map((y, i) => (i === last ? null : y)),
    props.ys.map((y, i) => (i >= reach ? y : null)),
  ]
}

function makeOptions(
  latest: { current: TimeChartProps },
  size: { width: number; height: number },
): uPlot.Options {
  const { mode } = latest.current
  const paths =
    mode === 'bars' ? uPlot.paths.bars?.({ size: [0.72, 40], radius: 0.14 }) : uPlot.paths.linear?.()
  const base = (running: boolean): uPlot.Series => ({
    stroke: () => colour(running && mode === 'bars' ? '--chart-running' : '--chart-ink'),
    fill: () => colour(mode === 'bars' ? (running ? '--chart-running' : '--chart-ink') : '--chart-wash'),
    width: mode === 'bars' ? 0 : 2,
    points: { show: mode === 'line' && latest.current.xs.length < 3 },
    ...(paths === undefined ? {} : { paths }),
    ...(running && mode === 'line' ? { dash: [3, 4] } : {}),
  })
  const scaleY = (min: number | null, max: number | null) =>
    zeroBasedScale(min, max, { tickCount: size.height < 220 ? 3 : 4, whole: latest.current.whole })
  return {
    ...size,
    padding: [12, 20, 0, 0],
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { show: mode === 'line' } },
    scales: {
      x: {
        time: false,
        range: (_, min, max) => {
          if (mode === 'bars') return [min - 0.6, max + 0.6]
          return min === max ? [min - 1, max + 1] : [min, max]
        },
      },
      y: {
        range: (_, min, max) => {
          const scale = scaleY(min, max)
          return [scale.min, scale.max]
        },
      },
    },
    axes: [
      {
        stroke: () => colour('--ink-3'),
        font: '12px system-ui, sans-serif',
        grid: { show: false },
        ticks: { show: false },
        border: { show: true, stroke: () => colour('--line-strong'), width: 1 },
        size: 30,
        gap: 8,
        splits: (plot) => latest.current.ticksX(Math.max(2, Math.floor(plot.width / LABEL_WIDTH))),
        values: (_, splits) => splits.map((x) => latest.current.formatTickX(x)),
      },
      {
        stroke: () => colour('--ink-3'),
        font: '12px system-ui, sans-serif',
        grid: { stroke: () => colour('--line'), width: 1 },
        ticks: { show: false },
        size: 52,
        gap: 8,
        splits: (plot) => scaleY(plot.scales.y?.min ?? null, plot.scales.y?.max ?? null).ticks,
        values: (_, splits) => splits.map((y) => latest.current.formatTickY(y)),
      },
    ],
    series: [{}, base(false), base(true)],
  }
}

/**
 * Bars or a line over time, from zero. Pointing at it or, when it has the focus, the arrow keys show the
 * exact value of an entry; a table says the same elsewhere.
 */
export function TimeChart(props: TimeChartProps) {
  const holder = useRef<HTMLDivElement>(null)
  const tip = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot | null>(null)
  const latest = useRef(props)
  latest.current = props
  const [hover, setHover] = useState<{ index: number; left: number } | null>(null)
  const [spoken, setSpoken] = useState('')

  useEffect(() => {
    const element = holder.current
    if (element === null) return
    const size = () => ({ width: Math.max(160, element.clientWidth), height: element.clientHeight })
    const options = makeOptions(latest, size())
    const created = new uPlot(
      {
        ...options,
        hooks: {
          setCursor: [
            (self) => {
              const { idx, left } = self.cursor
              if (idx === null || idx === undefined || left === undefined || left < 0) setHover(null)
              else
                setHover({
                  index: idx,
                  left: self.valToPos(self.data[0][idx] ?? 0, 'x') + (self.over.offsetLeft ?? 0),
                })
            },
          ],
        },
      },
      splitRunning(latest.current),
      element,
    )
    plot.current = created
    const resizing = new ResizeObserver(() => created.setSize(size()))
    resizing.observe(element)
    const stopColours = onColoursChange(() => created.redraw())
    return () => {
      resizing.disconnect()
      stopColours()
      created.destroy()
      plot.current = null
      setHover(null)
    }
  }, [props.mode])

  useLayoutEffect(() => {
    if (hover !== null && tip.current !== null && holder.current !== null)
      placeTip(tip.current, hover.left, holder.current.clientWidth)
  }, [hover])

  const data = useMemo(() => splitRunning(props), [props.xs, props.ys, props.mode, props.lastIsRunning])
  useEffect(() => {
    plot.current?.setData(data)
  }, [data])

  const moveTo = (index: number) => {
    const self = plot.current
    const x = self?.data[0][index]
    if (self === null || self === undefined || x === undefined) return
    self.setCursor({ left: self.valToPos(x, 'x'), top: 10 })
    const { time, value } = props.describe(index)
    setSpoken(`${time}: ${value}`)
  }

  const onKeyDown = (event: KeyboardEvent) => {
    const last = props.xs.length - 1
    const at = hover?.index ?? last + 1
    const target = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: last }[event.key]
    if (event.key === 'Escape') plot.current?.setCursor({ left: -10, top: -10 })
    if (target === undefined) return
    event.preventDefault()
    moveTo(Math.max(0, Math.min(last, target)))
  }

  const shown = hover === null || props.xs[hover.index] === undefined ? null : props.describe(hover.index)
  return (
    <figure
      class="chart"
      aria-label={`${props.label} Arrow keys read out single values.`}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: the arrow keys read the chart out
      tabIndex={0}
      onKeyDown={onKeyDown}
    >
      <div class="chart-canvas" ref={holder} aria-hidden="true" />
      {shown !== null && hover !== null && (
        <div ref={tip} class="chart-tip" aria-hidden="true">
          <span class="quiet">{shown.time}</span>
          <strong>{shown.value}</strong>
        </div>
      )}
      <div class="visually-hidden" aria-live="polite">
        {spoken}
      </div>
    </figure>
  )
}
