import type { Health } from '../../../../src/http/wire.ts'

/** What runs, and whether what it needs answers. */
export function HealthView({ health }: { health: Health }) {
  const { expected, actual } = health.schemaVersion
  return (
    <>
      <p class="report-line">
        <span class={`status ${health.status === 'ready' ? 'status-good' : 'status-bad'}`}>
          {health.status === 'ready' ? 'Ready' : 'Degraded'}
        </span>
        <span class="quiet">
          Version {health.version}, commit <code>{health.commit.slice(0, 12)}</code>
        </span>
      </p>
      <ul class="report-list">
        {health.dependencies.map(({ name, state, detail, breaker }) => (
          <li key={name}>
            <span class="report-name">{name}</span>
            <span class={`status ${state === 'ok' ? 'status-good' : 'status-bad'}`}>
              {state === 'ok' ? 'Answers' : 'Down'}
            </span>
            {detail !== null && <span class="quiet small report-detail">{detail}</span>}
            {breaker !== null && breaker !== 'closed' && (
              <span class="quiet small report-detail">Its breaker is {breaker}.</span>
            )}
          </li>
        ))}
        <li>
          <span class="report-name">schema</span>
          <span class={`status ${actual === expected ? 'status-good' : 'status-bad'}`}>
            {actual === expected ? 'As expected' : 'Different'}
          </span>
          <span class="quiet small report-detail">
            {actual === expected ? actual : `${actual ?? 'unknown'} instead of ${expected}`}
          </span>
        </li>
      </ul>
    </>
  )
}
