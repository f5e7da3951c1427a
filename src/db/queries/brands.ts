import { type SQL, sql } from 'drizzle-orm'
import { type Statement, statement } from '../client.ts'
import { array } from './overview.ts'

export interface BrandRow {
  id: string
  name: string
  /** Accounts in it that are not removed. */
  accounts: number
  createdAt: string
}

const BRAND_COLUMNS = sql.raw(
  `b.id, b.name, b.created_at AS "createdAt", (SELECT count(*) FROM accounts a
    WHERE a.workspace_id = b.workspace_id AND a.brand_id = b.id AND a.deleted_at IS NULL) AS accounts`,
)

/** Brands by name. @param ids these alone; `null`: all */
export function listBrands(workspaceId: string, ids: readonly string[] | null): Statement<BrandRow> {
  const among = ids === null ? sql`TRUE` : sql`b.id = ANY (${array(ids)}::uuid[])`
  return statement(sql`
    SELECT ${BRAND_COLUMNS} FROM brands b WHERE b.workspace_id = ${workspaceId} AND ${among}
    ORDER BY lower(b.name), b.id LIMIT 10000`)
}

export function selectBrand(workspaceId: string, id: string): Statement<BrandRow> {
  return statement(
    sql`SELECT ${BRAND_COLUMNS} FROM brands b WHERE b.workspace_id = ${workspaceId} AND b.id = ${id}`,
  )
}

/** Which of these ids are brands of the workspace. */
export function brandsAmong(workspaceId: string, ids: readonly string[]): Statement<{ id: string }> {
  return statement(sql`
    SELECT id FROM brands WHERE workspace_id = ${workspaceId} AND id = ANY (${array(ids)}::uuid[])`)
}

/** The brand that has a name, however it is written. */
export function brandByName(workspaceId: string, name: string): Statement<{ id: string }> {
  return statement(
    sql`SELECT id FROM brands WHERE workspace_id = ${workspaceId} AND lower(name) = lower(${name})`,
  )
}

/** Makes a brand, unless its name is taken or there are so many already. */
export function insertBrand(
  workspaceId: string,
  brand: { id: string; name: string },
  most: number,
): Statement<BrandRow> {
  return statement(sql`
    INSERT INTO brands AS b (id, workspace_id, name)
    SELECT ${brand.id}::uuid, ${workspaceId}::uuid, ${brand.name}
    WHERE (SELECT count(*) FROM brands o WHERE o.workspace_id = ${workspaceId}) < ${most}
    ON CONFLICT (workspace_id, lower(name)) DO NOTHING
    RETURNING ${BRAND_COLUMNS}`)
}

export function brandStands(workspaceId: string, id: string): SQL {
  return sql`EXISTS (SELECT 1 FROM brands WHERE workspace_id = ${workspaceId} AND id = ${id})`
}

/** Whether a brand still has a name, as it is written. */
export function brandIs(workspaceId: string, id: string, name: string): SQL {
  return sql`EXISTS (SELECT 1 FROM brands WHERE workspace_id = ${workspaceId} AND id = ${id} AND name = ${name})`
}

export function renameBrand(workspaceId: string, id: string, name: string): Statement<BrandRow> {
  return statement(sql`
    UPDATE brands b SET name = ${name} WHERE b.workspace_id = ${workspaceId} AND b.id = ${id}
    RETURNING ${BRAND_COLUMNS}`)
}

/** Removes a brand; its accounts stay, without one. */
export function deleteBrand(workspaceId: string, id: string): Statement<never> {
  return statement(sql`DELETE FROM brands WHERE workspace_id = ${workspaceId} AND id = ${id}`)
}
