import * as z from 'zod'
import { Name } from '../access/schemas.ts'

export const Brand = z.object({
  id: z.string(),
  name: z.string(),
  /** Accounts in it that are not removed. */
  accounts: z.number().int(),
  createdAt: z.string(),
})
export type Brand = z.infer<typeof Brand>

/** What a brand is made of, and what can be changed of it. */
export const NameBrand = z.strictObject({ name: Name })
export type NameBrand = z.infer<typeof NameBrand>
