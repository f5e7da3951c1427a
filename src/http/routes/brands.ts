import { createRoute } from '@hono/zod-openapi'
import * as z from 'zod'
import { changeBrand, createBrand, getBrands, removeBrand } from '../../services/brands/brands.ts'
import { Brand, NameBrand } from '../../services/brands/schemas.ts'
import { createApi, idParameter, json, jsonBody, page, problems } from '../openapi.ts'

const BrandDocument = Brand.openapi('Brand')
const tags = ['Brands']

const listRoute = createRoute({
  method: 'get',
  path: '/brands',
  tags,
  'x-permission': 'analytics.read',
  summary: 'Brands by name',
  description: 'A member who is limited to brands sees those.',
  request: { query: z.strictObject({}) },
  responses: { 200: json(page(BrandDocument), 'All of them'), ...problems(400, 403) },
})

const createBrandRoute = createRoute({
  method: 'post',
  path: '/brands',
  tags,
  'x-permission': 'brands.write',
  summary: 'Make a brand, to group accounts',
  description: 'Its name is the only one of its kind, upper and lower case being the same. At most 200.',
  request: { body: jsonBody(NameBrand) },
  responses: { 201: json(BrandDocument, 'Made'), ...problems(400, 403, 409, 415) },
})

const changeRoute = createRoute({
  method: 'patch',
  path: '/brands/{id}',
  tags,
  'x-permission': 'brands.write',
  summary: 'Rename a brand',
  request: { params: idParameter, body: jsonBody(NameBrand) },
  responses: { 200: json(BrandDocument, 'Changed'), ...problems(400, 403, 404, 409, 415) },
})

const removeRoute = createRoute({
  method: 'delete',
  path: '/brands/{id}',
  tags,
  'x-permission': 'brands.write',
  summary: 'Remove a brand; its accounts stay, without one',
  request: { params: idParameter },
  responses: { 204: { description: 'Removed' }, ...problems(403, 404) },
})

export const brandRoutes = createApi()
  .openapi(listRoute, async (c) => c.json({ items: await getBrands(c.var.ctx), nextCursor: null }, 200))
  .openapi(createBrandRoute, async (c) => c.json(await createBrand(c.var.ctx, c.req.valid('json')), 201))
  .openapi(changeRoute, async (c) => {
    return c.json(await changeBrand(c.var.ctx, c.req.valid('param').id, c.req.valid('json')), 200)
  })
  .openapi(removeRoute, async (c) => {
    await removeBrand(c.var.ctx, c.req.valid('param').id)
    return c.body(null, 204)
  })
