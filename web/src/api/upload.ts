import type { AcceptedJob } from './endpoints.ts'
import { networkError, requestHeaders, toApiError } from './http.ts'
import { buildQuery } from './query.ts'

/** The API takes no larger import; bytes. */
export const MAX_IMPORT_BYTES = 100_000_000

export type ImportFormat = 'csv' | 'ndjson'

const CONTENT_TYPES: Record<ImportFormat, string> = { csv: 'text/csv', ndjson: 'application/x-ndjson' }

/** The format that a file's name tells; `null` for one that cannot be imported. */
export function formatOfFile(name: string): ImportFormat | null {
  if (/\.(ndjson|jsonl)$/i.test(name)) return 'ndjson'
  return /\.csv$/i.test(name) ? 'csv' : null
}

/** What XMLHttpRequest answered, as fetch would have. */
function toResponse(request: XMLHttpRequest): Response {
  const headers = new Headers()
  const retryAfter = request.getResponseHeader('retry-after')
  if (retryAfter !== null) headers.set('retry-after', retryAfter)
  return new Response(request.responseText, { status: request.status, headers })
}

/**
 * Uploads a file and answers with the job that reads it. `fetch` cannot tell how far an upload is, hence
 * XMLHttpRequest; `onProgress` hears a ratio from 0 to 1. Rejects with `ApiError`.
 */
export function uploadImport(
  file: File,
  options: {
    format: ImportFormat
    platform: string
    handle: string
    onProgress: (ratio: number) => void
    signal: AbortSignal
  },
): Promise<AcceptedJob> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest()
    const query = buildQuery({ platform: options.platform, handle: options.handle })
    request.open('POST', `/api/v1/imports${query}`)
    for (const [name, value] of Object.entries(requestHeaders())) request.setRequestHeader(name, value)
    request.setRequestHeader('content-type', CONTENT_TYPES[options.format])
    request.upload.onprogress = (event) => {
      if (event.lengthComputable) options.onProgress(event.loaded / event.total)
    }
    request.onload = () => {
      if (request.status === 202) resolve(JSON.parse(request.responseText))
      else toApiError(toResponse(request)).then(reject, reject)
    }
    request.onerror = () => reject(networkError())
    request.onabort = () => reject(new DOMException('The upload was stopped.', 'AbortError'))
    options.signal.addEventListener('abort', () => request.abort())
    request.send(file)
  })
}

/** A refusal of what was chosen, before anything is sent. */
export function refuseFile(file: Pick<File, 'name' | 'size'>): string | null {
  if (formatOfFile(file.name) === null) return 'Choose a .csv or .ndjson file.'
  if (file.size === 0) return 'This file is empty.'
  return file.size > MAX_IMPORT_BYTES ? 'A file can be at most 100 MB. Split it and import the parts.' : null
}
