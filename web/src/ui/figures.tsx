import type { ComponentChildren } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { changeDirection, formatChange } from '../format/numbers.ts'

/**
 * A figure that lights up for a moment when it changes by itself. `of` says what it is the figure of:
 * when that changes, the number is another one, and nothing lights up.
 */
export function LiveFigure({
  value,
  of = '',
  children,
  title,
}: {
  value: number | null
  of?: string
  children: ComponentChildren
  title?: string
}) {
  const element = useRef<HTMLSpanElement>(null)
  const before = useRef({ value, of })
  useEffect(() => {
    const changed =
      before.current.of === of && before.current.value !== null && before.current.value !== value
    before.current = { value, of }
    const span = element.current
    if (!changed || span === null) return
    span.classList.remove('flash')
    // Reading a size makes the browser notice that the class was gone, so that the animation starts again.
    void span.offsetWidth
    span.classList.add('flash')
  }, [value, of])
  return (
    <span
      ref={element}
      class="figure"
      title={title}
      onAnimationEnd={(event) => event.currentTarget.classList.remove('flash')}
    >
      {children}
    </span>
  )
}

/** A change against the comparison: direction by sign, arrow and words, not by colour alone. */
export function ChangeBadge({ change, against }: { change: number | null; against: string }) {
  if (change === null)
    return (
      <span class="change change-none" title={`No base: nothing to compare with in ${against}`}>
        no base<span class="visually-hidden"> to compare with</span>
      </span>
    )
  const direction = changeDirection(change)
  const words = direction === 'flat' ? 'unchanged' : direction
  return (
    <span class={`change change-${direction}`} title={`Against ${against}`}>
      <span aria-hidden="true">
        {direction === 'up' ? '▲ ' : direction === 'down' ? '▼ ' : ''}
        {formatChange(change)}
      </span>
      <span class="visually-hidden">
        {words} {direction === 'flat' ? '' : formatChange(Math.abs(change)).replace('+', '')} against{' '}
        {against}
      </span>
    </span>
  )
}

/** Beside a number that its platform does not give at the moment; `words` say since when. */
export function LastKnownMark({ words }: { words: string }) {
  return (
    <span class="last-known" title={words}>
      <span aria-hidden="true">†</span>
      <span class="visually-hidden"> {words}</span>
    </span>
  )
}

/** In place of a number that the platform does not tell. */
export function Unknown({ words = 'Not available' }: { words?: string }) {
  return (
    <span class="unknown" title={words}>
      <span aria-hidden="true">n/a</span>
      <span class="visually-hidden">{words}</span>
    </span>
  )
}
