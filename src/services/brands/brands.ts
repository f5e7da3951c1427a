import { isUniqueViolation } from '../../db/client.ts'
import { lockRights, proceedOnlyIf, wasOvertaken } from '../../db/queries/access.ts'
import {
  type BrandRow,
  brandByName,
  brandIs,
  brandStands,
  deleteBrand,
  insertBrand,
  listBrands,
  renameBrand,
  selectBrand,
} from '../../db/queries/brands.ts'
import { lockWorkspace, raiseGeneration, undeliveredEvents } from '../../db/queries/ingest/index.ts'
import { AppError, notFound } from '../../errors.ts'
import { isId, newId } from '../../lib/ids.ts'
import { decideAndWrite } from '../access/attempt.ts'
import { brandsOf } from '../access/reach.ts'
import { audit } from '../audit/record.ts'
import type { ServiceContext } from '../context.ts'
import { deliverEvents } from '../ingest/deliver-events.ts'
import { requirePermission } from '../permissions.ts'
import { Brand, type NameBrand } from './schemas.ts'

const MAX_BRANDS = 200

function present(row: BrandRow): Brand {
  return Brand.parse(row)
}

const targetOf = ({ id, name }: { id: string; name: string }) => ({ kind: 'brand', id, name })

/** Brands by name; for a member limited to brands, those. */
export async function getBrands(ctx: ServiceContext): Promise<Brand[]> {
  requirePermission(ctx.actor, 'analytics.read')
  const [rows] = await ctx.db.inWorkspace(ctx.workspace.id, [
    listBrands(ctx.workspace.id, brandsOf(ctx.actor)),
  ])
  return rows.map(present)
}

/** @throws conflict where the name is taken, however it is written, and beyond 200 */
export async function createBrand(ctx: ServiceContext, { name }: NameBrand): Promise<Brand> {
  requirePermission(ctx.actor, 'brands.write')
  const workspaceId = ctx.workspace.id
  const id = newId(ctx.clock.now())
  const [, [row], [namesake]] = await ctx.db.inWorkspace(workspaceId, [
    lockWorkspace(workspaceId),
    insertBrand(workspaceId, { id, name }, MAX_BRANDS),
    brandByName(workspaceId, name),
    audit(ctx, {
      action: 'brand.created',
      target: targetOf({ id, name }),
      onlyIf: brandStands(workspaceId, id),
    }),
  ])
  if (row !== undefined) return present(row)
  if (namesake !== undefined) throw nameTaken(namesake.id)
  throw new AppError('conflict', `A workspace has at most ${MAX_BRANDS} brands.`)
}

/** @throws conflict where the name is taken, however it is written */
export async function changeBrand(ctx: ServiceContext, id: string, { name }: NameBrand): Promise<Brand> {
  requirePermission(ctx.actor, 'brands.write')
  const workspaceId = ctx.workspace.id
  return decideAndWrite(async () => {
    const before = await readBrand(ctx, id)
    if (before.name === name) return present(before)
    const [, , [row]] = await ctx.db
      .inWorkspace(workspaceId, [
        lockRights(workspaceId),
        proceedOnlyIf(brandIs(workspaceId, id, before.name)),
        renameBrand(workspaceId, id, name),
        audit(ctx, {
          action: 'brand.changed',
          target: targetOf(before),
          details: { from: { name: before.name }, to: { name } },
        }),
      ])
      .catch(async (error: unknown) => {
        throw isUniqueViolation(error, 'brands_name') ? nameTaken(await namesakeOf(ctx, name)) : error
      })
    if (row === undefined) throw notFound('brand')
    return present(row)
  })
}

/** Removes a brand. Its accounts stay, without one; members limited to it no longer see them. */
export async function removeBrand(ctx: ServiceContext, id: string): Promise<void> {
  requirePermission(ctx.actor, 'brands.write')
  const workspaceId = ctx.workspace.id
  const brand = await readBrand(ctx, id)
  const [, , , , pending] = await ctx.db
    .inWorkspace(workspaceId, [
      lockWorkspace(workspaceId),
      proceedOnlyIf(brandStands(workspaceId, id)),
      deleteBrand(workspaceId, id),
      raiseGeneration(workspaceId, [{ type: 'metrics.updated', data: { accounts: [], posts: [] } }]),
      undeliveredEvents(workspaceId),
      audit(ctx, {
        action: 'brand.removed',
        target: targetOf(brand),
        details: { accounts: brand.accounts },
      }),
    ])
    .catch((error: unknown) => {
      throw wasOvertaken(error) ? notFound('brand') : error
    })
  await deliverEvents(ctx, workspaceId, pending)
}

async function readBrand(ctx: ServiceContext, id: string): Promise<BrandRow> {
  if (!isId(id)) throw notFound('brand')
  const [[row]] = await ctx.db.inWorkspace(ctx.workspace.id, [selectBrand(ctx.workspace.id, id)])
  if (row === undefined) throw notFound('brand')
  return row
}

async function namesakeOf(ctx: ServiceContext, name: string): Promise<string | undefined> {
  const [[namesake]] = await ctx.db.inWorkspace(ctx.workspace.id, [brandByName(ctx.workspace.id, name)])
  return namesake?.id
}

function nameTaken(existingId: string | undefined): AppError {
  return new AppError(
    'conflict',
    'There is a brand of this name already.',
    existingId === undefined ? {} : { existingId },
  )
}
