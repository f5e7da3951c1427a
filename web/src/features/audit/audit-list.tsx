import { useId, useState } from 'preact/hooks'
import type { AuditLogEntry } from '../../../../src/http/wire.ts'
import { type AuditReader, auditNotes, auditSentence, deviceWords } from '../../domain/audit-words.ts'
import { formatDateLong, formatHour, formatInstant } from '../../format/dates.ts'
import { useTimezone } from '../../state/session.tsx'
import { ChevronIcon } from '../../ui/icons.tsx'
import { useBrandName } from '../team/brand-tags.tsx'

/** Who did it: a person by e-mail, a key by its name, or Tidemark itself. */
function Actor({ actor }: { actor: AuditLogEntry['actor'] }) {
  if (actor.kind === 'system') return <strong>Tidemark</strong>
  if (actor.kind === 'apiKey')
    return (
      <>
        The API key <strong>{actor.name ?? 'without a name'}</strong>
      </>
    )
  return <strong>{actor.name ?? 'Somebody'}</strong>
}

function Facts({ entry, id }: { entry: AuditLogEntry; id: string }) {
  const timezone = useTimezone()
  const facts: [string, string | null, string | undefined][] = [
    ['When', formatInstant(entry.at, timezone), undefined],
    ['Address', entry.ip, undefined],
    ['Device', entry.userAgent === null ? null : deviceWords(entry.userAgent), entry.userAgent ?? undefined],
    ['Request', entry.requestId, undefined],
    ['Action', entry.action, undefined],
  ]
  const hasDetails = Object.keys(entry.details).length > 0
  return (
    <div id={id} class="audit-facts">
      <dl>
        {facts.map(
          ([name, value, title]) =>
            value !== null && (
              <div key={name}>
                <dt>{name}</dt>
                <dd title={title}>{value}</dd>
              </div>
            ),
        )}
      </dl>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by the keyboard */}
      {hasDetails && <pre tabIndex={0}>{JSON.stringify(entry.details, null, 2)}</pre>}
    </div>
  )
}

function Entry({ entry, reader }: { entry: AuditLogEntry; reader: AuditReader }) {
  const timezone = useTimezone()
  const [open, setOpen] = useState(false)
  const factsId = useId()
  const sentence = auditSentence(entry, reader)
  const notes = auditNotes(entry, reader)
  return (
    <li class="audit-entry">
      <time class="quiet" dateTime={entry.at} title={formatInstant(entry.at, timezone)}>
        {formatHour(entry.at, timezone)}
      </time>
      <div class="audit-words">
        <p>
          <Actor actor={entry.actor} /> {sentence}.
        </p>
        {notes.length > 0 && <p class="quiet small">{notes.join(' ')}</p>}
      </div>
      <button
        type="button"
        class={`icon-button audit-toggle ${open ? 'is-open' : ''}`}
        aria-expanded={open}
        aria-controls={open ? factsId : undefined}
        aria-label={`Details: ${sentence}`}
        title="Details"
        onClick={() => setOpen(!open)}
      >
        <ChevronIcon size={18} />
      </button>
      {open && <Facts entry={entry} id={factsId} />}
    </li>
  )
}

/** Entries that follow each other on the same day, in their order. */
function byDay(
  entries: readonly AuditLogEntry[],
  timezone: string,
): { day: string; entries: AuditLogEntry[] }[] {
  const days: { day: string; entries: AuditLogEntry[] }[] = []
  for (const entry of entries) {
    const day = formatDateLong(entry.at, timezone)
    const last = days.at(-1)
    if (last?.day === day) last.entries.push(entry)
    else days.push({ day, entries: [entry] })
  }
  return days
}

/** Entries under the days on which they were made. */
export function AuditList({ entries }: { entries: readonly AuditLogEntry[] }) {
  const timezone = useTimezone()
  const brandName = useBrandName()
  const reader: AuditReader = { brandName, instant: (iso) => formatInstant(iso, timezone) }
  return (
    <div class="audit-days">
      {byDay(entries, timezone).map(({ day, entries: ofDay }) => (
        <section key={day} aria-label={day}>
          <h2 class="audit-day">{day}</h2>
          <ol>
            {ofDay.map((entry) => (
              <Entry key={entry.id} entry={entry} reader={reader} />
            ))}
          </ol>
        </section>
      ))}
    </div>
  )
}
