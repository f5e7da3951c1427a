/** What X asks for each object that it shows, in millionths of a dollar. */
const PRICE_MICROS = { post: 5_000, user: 10_000 }

type ChargedKind = keyof typeof PRICE_MICROS

/** X's bill: each object once a UTC day, however often it is read. */
export interface XCharges {
  charge(kind: ChargedKind, id: string, t: number): void
  /** What was charged on the UTC day of `t`, as `post:1`, in order. */
  objects(t: number): string[]
  /** Their price together. */
  costMicros(t: number): number
}

/** An empty bill. */
export function createXCharges(): XCharges {
  const days = new Map<string, Map<string, number>>()
  const dayOf = (t: number): string => new Date(t).toISOString().slice(0, 10)
  return {
    charge: (kind, id, t) => {
      const day = days.get(dayOf(t)) ?? new Map<string, number>()
      days.set(dayOf(t), day)
      day.set(`${kind}:${id}`, PRICE_MICROS[kind])
    },
    objects: (t) => [...(days.get(dayOf(t))?.keys() ?? [])],
    costMicros: (t) => [...(days.get(dayOf(t))?.values() ?? [])].reduce((sum, price) => sum + price, 0),
  }
}
