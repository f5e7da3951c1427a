import * as z from 'zod'
import { ROLES } from '../../domain/roles.ts'
import { isStorable, NOT_STORABLE } from '../../lib/text.ts'

export const KEY_SCOPES = ['read', 'write', 'admin', 'operator'] as const
const INVITATION_STATES = ['open', 'accepted', 'withdrawn', 'expired'] as const

/** As people name things. */
export const Name = z.string().trim().min(1).max(100).refine(isStorable, NOT_STORABLE)

const PerMinute = z.number().int().min(1).max(1_000_000).optional()

export const CreateApiKey = z.strictObject({
  name: Name,
  scopes: z.array(z.enum(KEY_SCOPES)).min(1).max(4),
  expiresInDays: z.number().int().min(1).max(3_650).optional(),
  /** Less than the deployment allows; more changes nothing. */
  limits: z.strictObject({ readsPerMinute: PerMinute, writesPerMinute: PerMinute }).optional(),
})
export type CreateApiKey = z.infer<typeof CreateApiKey>

export const ApiKey = z.object({
  id: z.string(),
  name: z.string(),
  prefix: z.string(),
  scopes: z.array(z.enum(KEY_SCOPES)),
  /** The name of whoever made it, where they are still there. */
  createdBy: z.string().nullable(),
  createdAt: z.string(),
  expiresAt: z.string().nullable(),
  lastUsedAt: z.string().nullable(),
  /** Requests a minute; `null`: as the deployment allows. */
  limits: z.object({
    readsPerMinute: z.number().int().nullable(),
    writesPerMinute: z.number().int().nullable(),
  }),
})
export type ApiKey = z.infer<typeof ApiKey>

/** The key itself is shown this once. */
export const CreatedApiKey = ApiKey.extend({ key: z.string() })
export type CreatedApiKey = z.infer<typeof CreatedApiKey>

export const UpdateWorkspace = z.strictObject({
  name: Name.optional(),
  timezone: z.string().optional(),
})
export type UpdateWorkspace = z.infer<typeof UpdateWorkspace>

export const CreateWorkspace = z.strictObject({ name: Name, timezone: z.string().optional() })
export type CreateWorkspace = z.infer<typeof CreateWorkspace>

export const WorkspaceSummary = z.object({
  id: z.string(),
  name: z.string(),
  timezone: z.string(),
  /** `null` for a key. */
  role: z.enum(ROLES).nullable(),
})
export type WorkspaceSummary = z.infer<typeof WorkspaceSummary>

/** Brands whose accounts alone somebody sees; `null`: all. */
const Brands = z.array(z.uuid('is not an id').toLowerCase()).max(200).nullable()

export const Member = z.object({
  userId: z.string(),
  name: z.string(),
  email: z.string(),
  role: z.enum(ROLES),
  brands: z.array(z.string()).nullable(),
  joinedAt: z.string(),
  /** How many keys of the workspace they made that work. */
  apiKeys: z.number().int(),
})
export type Member = z.infer<typeof Member>

export const UpdateMember = z.strictObject({ role: z.enum(ROLES).optional(), brands: Brands.optional() })
export type UpdateMember = z.infer<typeof UpdateMember>

export const TransferWorkspace = z.strictObject({ userId: z.string().min(1).max(100) })
export type TransferWorkspace = z.infer<typeof TransferWorkspace>

export const Invitation = z.object({
  id: z.string(),
  /** Whom it is for; `null`: whoever has the link. */
  email: z.string().nullable(),
  role: z.enum(ROLES),
  brands: z.array(z.string()).nullable(),
  invitedBy: z.string().nullable(),
  createdAt: z.string(),
  expiresAt: z.string(),
  state: z.enum(INVITATION_STATES),
  acceptedAt: z.string().nullable(),
})
export type Invitation = z.infer<typeof Invitation>

export const CreateInvitation = z.strictObject({
  email: z
    .string()
    .trim()
    .toLowerCase()
    .max(320)
    .refine(isStorable, NOT_STORABLE)
    .pipe(z.email('is not an e-mail address'))
    .optional(),
  role: z.enum(ROLES),
  brands: Brands.optional(),
  expiresInDays: z.number().int().min(1).max(30).optional(),
})
export type CreateInvitation = z.infer<typeof CreateInvitation>

/** The link is shown this once. */
export const CreatedInvitation = Invitation.extend({
  url: z.string(),
  /** Whether it was sent to whom it is for. */
  mailed: z.boolean(),
})
export type CreatedInvitation = z.infer<typeof CreatedInvitation>

/** How whoever has a link hands it in. */
export const InvitationToken = z.strictObject({ token: z.string().max(200) })

export const InvitationPreview = z.object({
  workspaceName: z.string(),
  role: z.enum(ROLES),
  email: z.string().nullable(),
  invitedBy: z.string().nullable(),
  expiresAt: z.string(),
  state: z.enum(INVITATION_STATES),
})
export type InvitationPreview = z.infer<typeof InvitationPreview>
