import { sql } from 'drizzle-orm'
import {
  boolean,
  foreignKey,
  index,
  integer,
  pgTable,
  primaryKey,
  text,
  unique,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core'
import { authUsers } from './auth.ts'
import { count, moment, workspaceRef } from './columns.ts'

/** What a member may be; `services/permissions.ts` says what each may do. */
export const ROLES = ['owner', 'admin', 'analyst', 'viewer'] as const

/** A team's own space. Everything a tenant owns hangs from one. */
export const workspaces = pgTable('workspaces', {
  id: uuid('id').primaryKey(),
  name: text('name').notNull(),
  /** IANA name; days of the rollups are days here. */
  timezone: text('timezone').notNull().default('UTC'),
  /** Raised by every change of visible data, under this row's lock: see docs/architecture.md, "Generations". */
  generation: count('generation').notNull().default(0),
  createdAt: moment('created_at').notNull().defaultNow(),
})

export const workspaceMembers = pgTable(
  'workspace_members',
  {
    workspaceId: workspaceRef().references(() => workspaces.id, { onDelete: 'cascade' }),
    userId: text('user_id')
      .notNull()
      .references(() => authUsers.id, { onDelete: 'cascade' }),
    role: text('role', { enum: ROLES }).notNull(),
    /** `false`: sees the accounts of the brands in `member_brands` alone, be those none. */
    allBrands: boolean('all_brands').notNull().default(true),
    createdAt: moment('created_at').notNull().defaultNow(),
  },
  (t) => [primaryKey({ columns: [t.workspaceId, t.userId] }), index('workspace_members_user').on(t.userId)],
)

export const brands = pgTable(
  'brands',
  {
    id: uuid('id').primaryKey(),
    workspaceId: workspaceRef().references(() => workspaces.id, { onDelete: 'cascade' }),
    name: text('name').notNull(),
    createdAt: moment('created_at').notNull().defaultNow(),
  },
  (t) => [
    uniqueIndex('brands_name').on(t.workspaceId, sql`lower(${t.name})`),
    // What refers to a brand names its workspace as well, so that nothing can point into another one.
    unique('brands_in_workspace').on(t.workspaceId, t.id),
  ],
)

/** The brands that a limited member sees. */
export const memberBrands = pgTable(
  'member_brands',
  {
    workspaceId: workspaceRef().references(() => workspaces.id, { onDelete: 'cascade' }),
    userId: text('user_id').notNull(),
    brandId: uuid('brand_id').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.workspaceId, t.userId, t.brandId] }),
    foreignKey({
      name: 'member_brands_member',
      columns: [t.workspaceId, t.userId],
      foreignColumns: [workspaceMembers.workspaceId, workspaceMembers.userId],
    }).onDelete('cascade'),
    foreignKey({
      name: 'member_brands_brand',
      columns: [t.workspaceId, t.brandId],
      foreignColumns: [brands.workspaceId, brands.id],
    }).onDelete('cascade'),
    index('member_brands_brand').on(t.workspaceId, t.brandId),
  ],
)

/** A link by which somebody becomes a member. Good for one person, until it expires or is withdrawn. */
export const invitations = pgTable(
  'invitations',
  {
    id: uuid('id').primaryKey(),
    workspaceId: workspaceRef().references(() => workspaces.id, { onDelete: 'cascade' }),
    /** Whom it is for, in lower case; `null`: whoever has the link. */
    email: text('email'),
    role: text('role', { enum: ROLES }).notNull(),
    allBrands: boolean('all_brands').notNull().default(true),
    /** Those of them that still exist when it is accepted. */
    brandIds: uuid('brand_ids').array().notNull().default([]),
    /** SHA-256 of the link's token, hex. The token itself is shown once and stored nowhere. */
    tokenHash: text('token_hash').notNull(),
    createdBy: text('created_by').references(() => authUsers.id, { onDelete: 'cascade' }),
    createdAt: moment('created_at').notNull().defaultNow(),
    expiresAt: moment('expires_at').notNull(),
    acceptedAt: moment('accepted_at'),
    acceptedBy: text('accepted_by').references(() => authUsers.id, { onDelete: 'set null' }),
    withdrawnAt: moment('withdrawn_at'),
  },
  (t) => [
    uniqueIndex('invitations_token').on(t.tokenHash),
    index('invitations_workspace').on(t.workspaceId, t.createdAt),
    index('invitations_created_by').on(t.createdBy),
    index('invitations_accepted_by').on(t.acceptedBy),
  ],
)

export const apiKeys = pgTable(
  'api_keys',
  {
    id: uuid('id').primaryKey(),
    workspaceId: workspaceRef().references(() => workspaces.id, { onDelete: 'cascade' }),
    name: text('name').notNull(),
    /** The first characters, by which a person recognises a key. */
    prefix: text('prefix').notNull(),
    /** SHA-256 of the whole key, hex. The key itself is shown once and stored nowhere. */
    hash: text('hash').notNull(),
    scopes: text('scopes').array().notNull(),
    createdBy: text('created_by').references(() => authUsers.id, { onDelete: 'set null' }),
    createdAt: moment('created_at').notNull().defaultNow(),
    expiresAt: moment('expires_at'),
    revokedAt: moment('revoked_at'),
    lastUsedAt: moment('last_used_at'),
    /** Less than the deployment's limits allow; `null`: as they are. */
    readsPerMinute: integer('reads_per_minute'),
    writesPerMinute: integer('writes_per_minute'),
  },
  (t) => [
    uniqueIndex('api_keys_hash').on(t.hash),
    index('api_keys_workspace').on(t.workspaceId, t.createdAt),
    index('api_keys_created_by').on(t.createdBy),
  ],
)
