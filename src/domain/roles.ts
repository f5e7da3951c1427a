/** What somebody may be in a workspace. */
export const ROLES = ['owner', 'admin', 'analyst', 'viewer'] as const
