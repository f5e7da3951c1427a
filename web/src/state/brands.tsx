import { type ComponentChildren, createContext } from 'preact'
import { useContext, useMemo } from 'preact/hooks'
import type { Brand } from '../../../src/http/wire.ts'
import { getBrands } from '../api/access.ts'
import { type Resource, useResource } from './resource.ts'

export interface Brands extends Resource<Brand[]> {
  byId: ReadonlyMap<string, Brand>
}

const BrandsContext = createContext<Brands | null>(null)

/** The brands that the reader sees, which filters, accounts and settings all need by name. */
export function BrandsProvider({ children }: { children: ComponentChildren }) {
  const resource = useResource('brands', (signal) => getBrands(signal))
  const byId = useMemo(
    () => new Map((resource.data ?? []).map((brand) => [brand.id, brand])),
    [resource.data],
  )
  return <BrandsContext.Provider value={{ ...resource, byId }}>{children}</BrandsContext.Provider>
}

export function useBrands(): Brands {
  const brands = useContext(BrandsContext)
  if (brands === null) throw new Error('useBrands needs a BrandsProvider above it.')
  return brands
}
