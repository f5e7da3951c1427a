import { useId } from 'preact/hooks'
import type { Platform } from '../../../../src/domain/platforms.ts'
import type { Authorization } from '../../../../src/http/wire.ts'
import { formatCount, plural } from '../../format/numbers.ts'
import { useAccounts } from '../../state/accounts.tsx'
import { Avatar, accountName, accountSubtitle } from '../../ui/avatar.tsx'

/** As many as one request connects. */
export const MOST_AT_ONCE = 50

type Granted = Authorization['accounts'][number]

function Row({
  person,
  platform,
  isChosen,
  toggle,
}: {
  person: Granted
  platform: Platform
  isChosen: boolean
  toggle: () => void
}) {
  const { byId } = useAccounts()
  const { connectedAccountId, followers } = person
  const needsAccess = connectedAccountId !== null && byId.get(connectedAccountId)?.status === 'needs_auth'
  const named = { ...person, platform }
  return (
    <li>
      <label class="choice granted">
        <input type="checkbox" checked={isChosen} onChange={toggle} />
        <Avatar person={named} />
        <span class="account-words">
          <span class="account-name ellipsis">{accountName(named)}</span>
          <span class="quiet small ellipsis">
            {accountSubtitle(named)}
            {followers !== null && ` · ${plural(followers, 'follower')}`}
          </span>
        </span>
        {connectedAccountId !== null && (
          <span class={needsAccess ? 'status status-warning' : 'tag'}>
            {needsAccess ? 'Needs access' : 'Already connected'}
          </span>
        )}
      </label>
    </li>
  )
}

/** The accounts that were granted, of which some are chosen. */
export function GrantedList({
  platform,
  granted,
  chosen,
  onChange,
}: {
  platform: Platform
  granted: Authorization['accounts']
  chosen: readonly string[]
  onChange: (chosen: string[]) => void
}) {
  const hintId = useId()
  const all = chosen.length === granted.length
  const tooMany = chosen.length > MOST_AT_ONCE
  const isAnyConnected = granted.some(({ connectedAccountId }) => connectedAccountId !== null)
  return (
    <fieldset class="granted-choice" aria-describedby={hintId}>
      <legend>Which of them are measured here?</legend>
      <div class="granted-head">
        <p id={hintId} class="quiet small" role="status">
          {formatCount(chosen.length)} of {formatCount(granted.length)} chosen
          {tooMany && `: at most ${MOST_AT_ONCE} at once`}
        </p>
        {granted.length > 1 && (
          <button
            type="button"
            class="link-button"
            onClick={() => onChange(all ? [] : granted.map(({ externalId }) => externalId))}
          >
            {all ? 'Choose none' : 'Choose all'}
          </button>
        )}
      </div>
      <ul class="granted-list">
        {granted.map((person) => {
          const isChosen = chosen.includes(person.externalId)
          return (
            <Row
              key={person.externalId}
              person={person}
              platform={platform}
              isChosen={isChosen}
              toggle={() =>
                onChange(
                  isChosen
                    ? chosen.filter((externalId) => externalId !== person.externalId)
                    : [...chosen, person.externalId],
                )
              }
            />
          )
        })}
      </ul>
      {isAnyConnected && (
        <p class="quiet small">
          One that is connected already is read with what you agreed to just now, from then on.
        </p>
      )}
    </fieldset>
  )
}
