import { useState } from 'preact/hooks'
import type { Brand } from '../../../../src/http/wire.ts'
import { createBrand, renameBrand } from '../../api/access.ts'
import { type ApiError, asApiError } from '../../api/http.ts'
import { Dialog } from '../../ui/dialog.tsx'
import { Field } from '../../ui/field.tsx'
import { FormActions } from '../../ui/form-actions.tsx'
import { FormProblem } from '../../ui/form-problem.tsx'

/** Makes a brand, or gives one another name. @param brand `null`: a new one */
export function BrandDialog({
  brand,
  onDone,
  onClose,
}: {
  brand: Brand | null
  onDone: (name: string) => void
  onClose: () => void
}) {
  const [name, setName] = useState(brand?.name ?? '')
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<ApiError | null>(null)
  const trimmed = name.trim()
  const ready = !busy && trimmed !== '' && trimmed !== brand?.name
  const taken = error?.status === 409 && error.existingId !== null

  const submit = async (event: Event) => {
    event.preventDefault()
    if (!ready) return
    setBusy(true)
    setError(null)
    try {
      if (brand === null) await createBrand(trimmed)
      else await renameBrand(brand.id, trimmed)
      onDone(trimmed)
    } catch (failure) {
      setError(asApiError(failure))
      setBusy(false)
    }
  }

  return (
    <Dialog title={brand === null ? 'Make a brand' : `Rename “${brand.name}”`} onClose={onClose}>
      <form class="stacked-form" noValidate onSubmit={(event) => void submit(event)}>
        <Field
          label="Name"
          type="text"
          maxLength={100}
          autocomplete="off"
          autoFocus
          value={name}
          onInput={(event) => {
            setName(event.currentTarget.value)
            setError(null)
          }}
          error={taken ? 'There is a brand with this name already.' : null}
        />
        <FormProblem error={taken ? null : error} />
        <FormActions onClose={onClose} ready={ready}>
          {busy ? 'Saving…' : brand === null ? 'Make it' : 'Rename'}
        </FormActions>
      </form>
    </Dialog>
  )
}
