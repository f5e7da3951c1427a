import { AppError } from '../errors.ts'

/** A failure in the queue's own terms: try again (503, when to is said), or never (489). */
export function verdictOf(error: unknown): Response {
  const known = error instanceof AppError ? error : null
  // What is not understood may be passing: the attempts are counted, and the dead-letter list is the end.
  if (known === null || known.retryable) {
    const headers = new Headers({ 'content-type': 'application/json' })
    if (known?.retryAfterMs !== undefined)
      headers.set('retry-after', String(Math.ceil(known.retryAfterMs / 1_000)))
    return new Response(JSON.stringify({ code: known?.code ?? 'internal' }), { status: 503, headers })
  }
  return new Response(JSON.stringify({ code: known.code, detail: known.message }), {
    status: 489,
    headers: { 'content-type': 'application/json', 'upstash-nonretryable-error': 'true' },
  })
}
