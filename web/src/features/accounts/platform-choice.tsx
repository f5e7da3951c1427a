import { useId } from 'preact/hooks'
import type { Platform } from '../../../../src/domain/platforms.ts'
import { CONNECT_WAYS } from '../../domain/connecting.ts'
import { PlatformBadge, platformLabel } from '../../ui/platform-badge.tsx'

/** One of all platforms, by what it takes to connect an account there. */
export function PlatformChoice({
  platform,
  unsupported,
  onChange,
}: {
  platform: Platform
  /** Those that the deployment has no app at. */
  unsupported: ReadonlySet<Platform>
  onChange: (platform: Platform) => void
}) {
  const id = useId()
  return (
    <fieldset class="platform-choice">
      <legend>Platform</legend>
      {CONNECT_WAYS.map(({ connects, title, needs, platforms }) => (
        <div key={connects} class="platform-way">
          <p id={`${id}-${connects}`} class="platform-way-words">
            {title} <span class="quiet">{needs}</span>
          </p>
          <div class="platform-options">
            {platforms.map((option) => (
              <label key={option} class="platform-option">
                <input
                  type="radio"
                  name="platform"
                  value={option}
                  checked={platform === option}
                  aria-describedby={`${id}-${connects}`}
                  onChange={() => onChange(option)}
                />
                <span class="platform-option-card">
                  <PlatformBadge platform={option} />
                  <span>
                    <span>{platformLabel(option)}</span>
                    {unsupported.has(option) && <span class="quiet small">not set up here</span>}
                  </span>
                </span>
              </label>
            ))}
          </div>
        </div>
      ))}
    </fieldset>
  )
}
