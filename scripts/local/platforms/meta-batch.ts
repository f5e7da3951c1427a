import { z } from 'zod'
import { ApiError, type Call } from './call.ts'
import { graphError, graphErrorBody } from './meta-errors.ts'

const MAX_BATCH = 50
const batchSchema = z.array(z.object({ method: z.string(), relative_url: z.string() })).min(1)

type BatchRequest = z.infer<typeof batchSchema>[number]

/** The requests of a batch. @throws ApiError where it is none, or too large */
export function readBatch(call: Call): BatchRequest[] {
  const requests = batchSchema.safeParse(parse(call.form().get('batch'))).data
  if (requests === undefined)
    throw graphError(100, 'Param batch must be an array', { violation: 'bad_parameter' })
  call.ids = requests.length
  call.batchMax = MAX_BATCH
  if (requests.length > MAX_BATCH)
    throw graphError(50, `Too many requests in batch message. Maximum batch size is ${MAX_BATCH}`, {
      violation: 'too_many_ids',
    })
  return requests
}

function parse(text: string | null): unknown {
  try {
    return JSON.parse(text ?? '')
  } catch {
    return undefined
  }
}

/** An answer within the answer: one that fails leaves the others alone. */
export function wrapBatchItem(answer: () => unknown): { code: number; body: string } {
  try {
    return { code: 200, body: JSON.stringify(answer()) }
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    return { code: error.status, body: JSON.stringify(graphErrorBody(error)) }
  }
}
