import { type Db, limitedToBrands } from '../../db/client.ts'
import type { Actor } from '../context.ts'

/** The database as an actor sees it: a member limited to brands finds the accounts of those alone. */
export function dbWithinReach(db: Db, actor: Actor): Db {
  const brands = brandsOf(actor)
  return brands === null ? db : limitedToBrands(db, brands)
}

/** Brands whose accounts alone an actor sees; `null`: all. */
export function brandsOf(actor: Actor): readonly string[] | null {
  return actor.kind === 'user' ? actor.brands : null
}
