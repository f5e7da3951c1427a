import { useEffect, useRef } from 'preact/hooks'
import type { ApiError } from '../../api/http.ts'
import { formatDuration } from '../../format/dates.ts'
import { Link } from '../../state/router.tsx'

/** Why nothing was connected, with what to do about it. */
export function ConnectFailure({ error, onClose }: { error: ApiError; onClose: () => void }) {
  const element = useRef<HTMLParagraphElement>(null)
  // The form may be longer than the screen: what went wrong has to be seen.
  useEffect(() => element.current?.scrollIntoView({ block: 'nearest' }), [error])
  return (
    <p ref={element} class="form-error" role="alert">
      {error.message}
      {error.status === 409 && (
        <>
          {' '}
          <Link href="/accounts" onClick={onClose}>
            See your accounts
          </Link>
        </>
      )}
      {error.code === 'platform_unsupported' && (
        <>
          {' '}
          <Link href="/imports" onClick={onClose}>
            Import a file
          </Link>
        </>
      )}
      {error.status === 503 &&
        (error.retryAfterSeconds === null
          ? ' Try again in a moment.'
          : ` Try again in ${formatDuration(error.retryAfterSeconds)}.`)}
    </p>
  )
}
