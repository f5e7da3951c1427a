import { foreignKey, index, jsonb, pgTable, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core'
import { PLATFORMS } from '../../domain/platforms.ts'
import { accounts } from './accounts.ts'
import { moment, workspaceRef } from './columns.ts'
import { brands, workspaces } from './workspaces.ts'

/** Somebody on the way to a platform, to let us read accounts there, and what they came back with. */
export const accountAuthorizations = pgTable(
  'account_authorizations',
  {
    id: uuid('id').primaryKey(),
    workspaceId: workspaceRef().references(() => workspaces.id, { onDelete: 'cascade' }),
    platform: text('platform', { enum: PLATFORMS }).notNull(),
    /** SHA-256 of the state that comes back with the person. */
    stateHash: text('state_hash').notNull(),
    /** The person who has to come back; `null` where an API key began it. */
    sessionUserId: text('session_user_id'),
    /** `user:<id>` or `key:<id>`. */
    createdBy: text('created_by').notNull(),
    /** Where new accounts are put. */
    brandId: uuid('brand_id'),
    /** The account that is to be read again; `null`: new ones are chosen. */
    accountId: uuid('account_id'),
    status: text('status', { enum: ['pending', 'granted', 'refused', 'failed', 'used'] }).notNull(),
    /** A sentence for people: why there is nothing to connect. */
    reason: text('reason'),
    keyId: text('key_id').notNull(),
    /** The PKCE verifier; then what was granted. Bound to the workspace and this row. */
    sealed: text('sealed').notNull(),
    /** The accounts that may be connected, without their tokens. */
    candidates: jsonb('candidates').notNull().default([]),
    expiresAt: moment('expires_at').notNull(),
    createdAt: moment('created_at').notNull().defaultNow(),
  },
  (t) => [
    uniqueIndex('account_authorizations_state').on(t.stateHash),
    index('account_authorizations_workspace').on(t.workspaceId, t.id),
    index('account_authorizations_expired').on(t.expiresAt),
    // Removing a brand or an account leaves the rest; the migration says that only the one column becomes null.
    foreignKey({
      name: 'account_authorizations_brand',
      columns: [t.workspaceId, t.brandId],
      foreignColumns: [brands.workspaceId, brands.id],
    }).onDelete('set null'),
    foreignKey({
      name: 'account_authorizations_account',
      columns: [t.workspaceId, t.accountId],
      foreignColumns: [accounts.workspaceId, accounts.id],
    }).onDelete('cascade'),
    index('account_authorizations_of_brand').on(t.workspaceId, t.brandId),
    index('account_authorizations_of_account').on(t.workspaceId, t.accountId),
  ],
)
