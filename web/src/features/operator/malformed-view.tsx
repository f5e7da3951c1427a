import type { MalformedAnswer } from '../../../../src/http/wire.ts'
import { formatInstant, formatRelative } from '../../format/dates.ts'
import { formatCount } from '../../format/numbers.ts'
import { useNow } from '../../state/now.ts'
import { useTimezone } from '../../state/session.tsx'
import { CheckIcon } from '../../ui/icons.tsx'
import { PlatformBadge, platformLabel } from '../../ui/platform-badge.tsx'
import { EmptyState } from '../../ui/states.tsx'

function Answer({ answer }: { answer: MalformedAnswer }) {
  const nowMs = useNow()
  const timezone = useTimezone()
  const { platform, host, operation, problem, sample, times, firstSeenAt, lastSeenAt } = answer
  return (
    <li class="malformed">
      <p class="platform-name">
        <PlatformBadge platform={platform} />
        <span>
          {platformLabel(platform)}
          {host !== null && <span class="quiet"> {host}</span>} <code>{operation}</code>
        </span>
      </p>
      <p class="malformed-problem">{problem}</p>
      <p class="quiet small">
        {times === 1 ? 'Once' : `${formatCount(times)} times`}, last{' '}
        <time dateTime={lastSeenAt} title={formatInstant(lastSeenAt, timezone)}>
          {formatRelative(lastSeenAt, nowMs)}
        </time>
        {times > 1 && (
          <>
            , first{' '}
            <time dateTime={firstSeenAt} title={formatInstant(firstSeenAt, timezone)}>
              {formatRelative(firstSeenAt, nowMs)}
            </time>
          </>
        )}
      </p>
      <details class="earlier">
        <summary>
          Its shape<span class="visually-hidden">: {problem}</span>
        </summary>
        <pre class="malformed-shape">{JSON.stringify(sample, null, 2)}</pre>
      </details>
    </li>
  )
}

/** Answers that could not be understood, by kind: names of fields and kinds of values, none of the values. */
export function MalformedView({ answers }: { answers: readonly MalformedAnswer[] }) {
  if (answers.length === 0)
    return <EmptyState icon={<CheckIcon size={28} />} title="Every answer was understood." />
  return (
    <ul class="malformed-list">
      {answers.map((answer) => (
        <Answer
          key={`${answer.platform} ${answer.host} ${answer.operation} ${answer.problem}`}
          answer={answer}
        />
      ))}
    </ul>
  )
}
