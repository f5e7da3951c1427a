import { useBrands } from '../../state/brands.tsx'

/** The name of a brand wherever only its id is at hand. */
export function useBrandName(): (id: string) => string {
  const { byId, data } = useBrands()
  return (id) => byId.get(id)?.name ?? (data === undefined ? '…' : 'a brand that is gone')
}

/** Which brands' accounts somebody sees. @param brands `null`: all */
export function BrandTags({ brands }: { brands: readonly string[] | null }) {
  const nameOf = useBrandName()
  if (brands === null) return <span class="quiet">everything</span>
  if (brands.length === 0) return <span class="tag tag-bad">nothing</span>
  return (
    <span class="tags">
      {brands.map((id) => (
        <span key={id} class="tag ellipsis">
          {nameOf(id)}
        </span>
      ))}
    </span>
  )
}
