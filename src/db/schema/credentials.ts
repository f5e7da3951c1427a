import { sql } from 'drizzle-orm'
import { foreignKey, index, pgTable, text, unique, uuid } from 'drizzle-orm/pg-core'
import { PLATFORMS } from '../../domain/platforms.ts'
import { accounts } from './accounts.ts'
import { moment, workspaceRef } from './columns.ts'
import { workspaces } from './workspaces.ts'

/** What an account is read with, sealed: see `adapters/credential-vault.ts`. */
export const platformCredentials = pgTable(
  'platform_credentials',
  {
    id: uuid('id').primaryKey(),
    workspaceId: workspaceRef().references(() => workspaces.id, { onDelete: 'cascade' }),
    accountId: uuid('account_id').notNull(),
    platform: text('platform', { enum: PLATFORMS }).notNull(),
    /** Which of the deployment's keys sealed it. */
    keyId: text('key_id').notNull(),
    /** AES-256-GCM: nonce, ciphertext and tag, base64url; bound to the workspace and the account. */
    sealed: text('sealed').notNull(),
    /** When what is sealed stops working; `null`: it does not say. */
    expiresAt: moment('expires_at'),
    /** Somebody is renewing it until then; others leave that to them. */
    refreshingUntil: moment('refreshing_until'),
    createdAt: moment('created_at').notNull().defaultNow(),
    updatedAt: moment('updated_at').notNull().defaultNow(),
  },
  (t) => [
    foreignKey({
      name: 'platform_credentials_account',
      columns: [t.workspaceId, t.accountId],
      foreignColumns: [accounts.workspaceId, accounts.id],
    }).onDelete('cascade'),
    // One credential an account.
    unique('platform_credentials_of_account').on(t.workspaceId, t.accountId),
    index('platform_credentials_key').on(t.keyId),
    index('platform_credentials_expiring').on(t.expiresAt).where(sql`expires_at IS NOT NULL`),
  ],
)
