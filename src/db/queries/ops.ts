import { sql } from 'drizzle-orm'
import { type Statement, statement } from '../client.ts'

/** What operators see of the whole deployment: the functions of `drizzle/0008_operators.sql`. */

/** The newest migration that was applied. */
export function schemaVersion(): Statement<{ version: string | null }> {
  return statement(sql`SELECT app_schema_version() AS version`)
}

/** `oldestSeconds` is `null` where everything is delivered. */
export function outboxState(): Statement<{ undelivered: number; oldestSeconds: number | null }> {
  return statement(sql`
    SELECT undelivered, oldest_seconds AS "oldestSeconds" FROM app_outbox_state()`)
}

export interface DatabaseState {
  sizeBytes: number
  connections: number
  maxConnections: number
  /** Of others than the one that asks; `null` where there is none. */
  oldestTransactionSeconds: number | null
}

export function databaseState(): Statement<DatabaseState> {
  return statement(sql`
    SELECT size_bytes AS "sizeBytes", connections, max_connections AS "maxConnections",
      oldest_transaction_seconds AS "oldestTransactionSeconds"
    FROM app_database_state()`)
}

export interface TableSize {
  name: string
  /** The planner's estimate; `null` before the first one. */
  estimatedRows: number | null
  /** With indexes. */
  totalBytes: number
  indexBytes: number
  /** How many partitions it is made of; 0 for most. */
  partitions: number
}

/** The biggest first. */
export function databaseTables(most: number): Statement<TableSize> {
  return statement(sql`
    SELECT name, estimated_rows AS "estimatedRows", total_bytes AS "totalBytes", index_bytes AS "indexBytes",
      partitions
    FROM app_database_tables(${most}::int)`)
}

export interface PartitionSize {
  name: string
  table: string
  /** As Postgres writes them down. */
  bounds: string
  estimatedRows: number | null
  totalBytes: number
}

export function databasePartitions(): Statement<PartitionSize> {
  return statement(sql`
    SELECT name, of_table AS "table", bounds, estimated_rows AS "estimatedRows", total_bytes AS "totalBytes"
    FROM app_database_partitions()`)
}
