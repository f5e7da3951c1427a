/** The mark: the line the tide left, and the water below it. */
export function TideMark({ size = 28 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" fill="none" stroke-linecap="round" aria-hidden="true">
      <path class="mark-line" d="M5.5 9.5h21" stroke-width="2.4" stroke-dasharray="3.4 5.3" />
      <path
        class="mark-crest"
        d="M4.5 17.5c3.8 0 3.8-3.2 7.7-3.2s3.8 3.2 7.6 3.2 3.8-3.2 7.7-3.2"
        stroke-width="2.6"
      />
      <path
        class="mark-swell"
        d="M4.5 24.5c3.8 0 3.8-3.2 7.7-3.2s3.8 3.2 7.6 3.2 3.8-3.2 7.7-3.2"
        stroke-width="2.6"
      />
    </svg>
  )
}

/** The edge of the water: the header ends in it. */
export function WaveEdge() {
  return (
    <svg class="wave-edge" width="100%" height="10" aria-hidden="true">
      <defs>
        <pattern id="wave-edge" width="64" height="10" patternUnits="userSpaceOnUse">
          <path d="M0 0h64v3c-16 0-16 5-32 5S16 3 0 3V0Z" fill="currentColor" />
        </pattern>
      </defs>
      <rect width="100%" height="10" fill="url(#wave-edge)" />
    </svg>
  )
}

const SWELLS = [
  { d: 'M0 322c110-46 190-40 290 2s190 46 290 4 150-44 220-28v300H0Z', tone: 1 },
  { d: 'M0 396c90-30 170-44 270-8s200 60 310 22 150-50 220-34v224H0Z', tone: 2 },
  { d: 'M0 466c130-40 220-34 320 0s170 40 260 12 150-44 220-30v152H0Z', tone: 3 },
  { d: 'M0 530c100-24 210-34 310-4s180 34 270 6 150-30 220-20v88H0Z', tone: 4 },
]

/** The sea behind the sign-in page, with the line of the last high water above it. */
export function SeaPicture() {
  return (
    <svg class="sea-picture" viewBox="0 0 800 600" preserveAspectRatio="xMidYMax slice" aria-hidden="true">
      <path
        class="sea-mark"
        d="M0 270h800"
        stroke-width="3"
        stroke-dasharray="14 18"
        stroke-linecap="round"
      />
      {SWELLS.map(({ d, tone }) => (
        <path key={tone} class={`sea-swell sea-swell-${tone}`} d={d} />
      ))}
    </svg>
  )
}
