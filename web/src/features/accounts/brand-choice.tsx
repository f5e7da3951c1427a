import { useId } from 'preact/hooks'
import { useBrands } from '../../state/brands.tsx'
import { useMe } from '../../state/session.tsx'

/**
 * The brand that a new account belongs to, as the field `brandId` of its form. Nothing where there are no
 * brands; whoever is limited to some has to name one of theirs.
 */
export function BrandChoice({ error }: { error: string | undefined }) {
  const id = useId()
  const { data: brands = [] } = useBrands()
  const isLimited = useMe().brands !== null
  if (brands.length === 0) return null
  return (
    <div class="field">
      <label for={id}>Brand</label>
      <select
        id={id}
        name="brandId"
        class="input input-select"
        aria-invalid={error === undefined ? undefined : true}
        aria-describedby={error === undefined ? undefined : `${id}-error`}
      >
        {!isLimited && <option value="">No brand</option>}
        {brands.map((brand) => (
          <option key={brand.id} value={brand.id}>
            {brand.name}
          </option>
        ))}
      </select>
      {error !== undefined && (
        <p class="field-error" id={`${id}-error`} role="alert">
          {error}
        </p>
      )}
    </div>
  )
}

/** What was chosen in a form that has the choice; `null`: no brand. */
export function chosenBrand(form: HTMLFormElement): string | null {
  const value = new FormData(form).get('brandId')
  return typeof value === 'string' && value !== '' ? value : null
}
