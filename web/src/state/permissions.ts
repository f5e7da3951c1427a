import type { Permission } from '../../../src/http/wire.ts'
import { useMe } from './session.tsx'

/** Whether the reader may do this in the workspace at hand. */
export function useMay(permission: Permission): boolean {
  return useMe().permissions.includes(permission)
}
