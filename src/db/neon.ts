import { type NeonQueryFunction, neon, neonConfig, types as pgTypes } from '@neondatabase/serverless'

/** The driver; loaded at the first statement (see `createDb`). */

const OID = { int8: 20, numeric: 1700, date: 1082, timestamp: 1114, timestamptz: 1184 } as const

/** `2026-11-22 10:00:00.123+00` (the session is in UTC) as RFC 3339. */
function toRfc3339(text: string): string {
  return `${text.replace(' ', 'T').replace(/\+00(:00)?$/, '')}Z`
}

/** Counts as numbers, moments as RFC 3339 text, dates as they are: rows are ready to be sent as JSON. */
const types = {
  getTypeParser(oid: number, format?: 'text' | 'binary') {
    switch (oid) {
      case OID.int8:
      case OID.numeric:
        return (text: string) => Number(text)
      case OID.timestamptz:
        return toRfc3339
      case OID.date:
      case OID.timestamp:
        return (text: string) => text
      default:
        return pgTypes.getTypeParser(oid, format)
    }
  },
}

export interface PreparedStatement {
  sql: string
  params: unknown[]
}

/** Where the driver asks is a setting of its module: it is made with every client, whichever is the first. */
function setEndpoint(fetchEndpoint: string | undefined): void {
  if (fetchEndpoint !== undefined) neonConfig.fetchEndpoint = fetchEndpoint
}

/**
 * The driver itself, for a library that puts its own statements.
 * @param fetchEndpoint where the SQL-over-HTTP endpoint is, when it is not Neon's
 */
export function createNeonDriver(
  connectionString: string,
  fetchEndpoint: string | undefined,
): NeonQueryFunction<false, false> {
  setEndpoint(fetchEndpoint)
  return neon(connectionString)
}

/** A client that holds no connection. Everything it is asked may be aborted. */
export function createNeonClient(connectionString: string, fetchEndpoint: string | undefined) {
  setEndpoint(fetchEndpoint)
  const client = neon(connectionString, { fullResults: false, arrayMode: false, types })
  return {
    query: ({ sql, params }: PreparedStatement, signal: AbortSignal): Promise<unknown> =>
      client.query(sql, params, { fetchOptions: { signal }, types }),
    /** @param snapshot one snapshot for all of them, and no writing */
    transaction: (
      statements: readonly PreparedStatement[],
      { signal, snapshot }: { signal: AbortSignal; snapshot: boolean },
    ): Promise<unknown[]> =>
      client.transaction(
        statements.map(({ sql, params }) => client.query(sql, params, { types })),
        {
          fetchOptions: { signal },
          ...(snapshot ? { isolationLevel: 'RepeatableRead' as const, readOnly: true } : {}),
        },
      ),
  }
}
