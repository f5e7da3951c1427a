import { useId } from 'preact/hooks'
import type { Role } from '../../../../src/http/wire.ts'
import { canBeLimited, ROLE_HELP, ROLE_LABELS } from '../../domain/roles.ts'
import { useBrands } from '../../state/brands.tsx'
import { Link } from '../../state/router.tsx'

/** What somebody is given: a role, and the brands they see; `null`: all. */
export interface Access {
  role: Role
  brands: readonly string[] | null
}

/** The access as the API takes it: owners and admins see everything. */
export function normalised({ role, brands }: Access): { role: Role; brands: string[] | null } {
  return { role, brands: canBeLimited(role) && brands !== null ? [...brands] : null }
}

/** Why an access cannot be given as it is chosen; `null`: it can. */
export function accessProblem(access: Access): string | null {
  return normalised(access).brands?.length === 0
    ? 'Choose at least one brand, or let them see everything.'
    : null
}

function SightFields({ access, change }: { access: Access; change: (access: Access) => void }) {
  const group = useId()
  const brands = useBrands().data ?? []
  const limited = access.brands !== null
  const toggle = (id: string, on: boolean) => {
    const others = (access.brands ?? []).filter((other) => other !== id)
    change({ ...access, brands: on ? [...others, id] : others })
  }
  return (
    <fieldset class="scope-choice">
      <legend>What they see</legend>
      <label class="choice">
        <input
          type="radio"
          name={group}
          checked={!limited}
          onChange={() => change({ ...access, brands: null })}
        />
        <span>Everything</span>
      </label>
      <label class="choice">
        <input
          type="radio"
          name={group}
          checked={limited}
          disabled={brands.length === 0 && !limited}
          onChange={() => change({ ...access, brands: [] })}
        />
        <span>
          Only some brands{' '}
          {brands.length === 0 && (
            <span class="quiet">
              – there are none yet; <Link href="/settings/brands">make one</Link>.
            </span>
          )}
        </span>
      </label>
      {limited && (
        <ul class="brand-choices">
          {brands.map(({ id, name }) => (
            <li key={id}>
              <label class="choice">
                <input
                  type="checkbox"
                  checked={access.brands?.includes(id) ?? false}
                  onChange={(event) => toggle(id, event.currentTarget.checked)}
                />
                <span class="ellipsis">{name}</span>
              </label>
            </li>
          ))}
        </ul>
      )}
    </fieldset>
  )
}

/** Chooses a role and what is seen with it. */
export function AccessFields({
  access,
  roles,
  change,
}: {
  access: Access
  /** Those that may be given. */
  roles: readonly Role[]
  change: (access: Access) => void
}) {
  const group = useId()
  return (
    <>
      <fieldset class="scope-choice">
        <legend>Role</legend>
        {roles.map((role) => (
          <label key={role} class="choice">
            <input
              type="radio"
              name={group}
              checked={access.role === role}
              onChange={() => change({ ...access, role })}
            />
            <span>
              <strong>{ROLE_LABELS[role]}</strong> <span class="quiet">{ROLE_HELP[role]}</span>
            </span>
          </label>
        ))}
      </fieldset>
      {canBeLimited(access.role) && <SightFields access={access} change={change} />}
    </>
  )
}
