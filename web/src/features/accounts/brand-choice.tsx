import { useBrands } from '../../state/brands.tsx'
import { useMe } from '../../state/session.tsx'
import { SelectField } from '../../ui/select-field.tsx'

/**
 * The brand that a new account belongs to, as the field `brandId` of its form. Nothing where there are no
 * brands; whoever is limited to some has to name one of theirs.
 */
export function BrandChoice({ error }: { error: string | undefined }) {
  const { data: brands = [] } = useBrands()
  const isLimited = useMe().brands !== null
  if (brands.length === 0) return null
  const choices = brands.map(({ id, name }) => ({ value: id, label: name }))
  return (
    <SelectField
      label="Brand"
      name="brandId"
      options={isLimited ? choices : [{ value: '', label: 'No brand' }, ...choices]}
      error={error}
    />
  )
}

/** What was chosen in a form that has the choice; `null`: no brand. */
export function chosenBrand(form: HTMLFormElement): string | null {
  const value = new FormData(form).get('brandId')
  return typeof value === 'string' && value !== '' ? value : null
}
