import type { ApiError } from '../api/http.ts'
import { FieldErrors } from './states.tsx'

/** Why a form was not taken; nothing where it was. */
export function FormProblem({ error }: { error: ApiError | null }) {
  if (error === null) return null
  return (
    <div class="form-error" role="alert">
      <p>{error.message}</p>
      <FieldErrors error={error} />
    </div>
  )
}
