/** Relative activity from Sunday to Saturday. */

export const OFFICE_WEEK = [0.55, 1.15, 1.2, 1.2, 1.15, 1.05, 0.7] as const
export const EVEN_WEEK = [0.95, 1, 1, 1, 1, 1.05, 1] as const
export const WEEKEND = [1.35, 0.6, 0.8, 0.9, 0.95, 1.1, 1.3] as const
