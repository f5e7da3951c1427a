import { lockRights, proceedOnlyIf, stillStands, wasOvertaken } from '../../db/queries/access.ts'
import {
  acceptInvitation as acceptStored,
  type InvitationRow,
  insertInvitation,
  invitationExists,
  isUnused,
  listInvitations,
  lockInvitation,
  memberByEmail,
  previewInvitation,
  selectInvitation,
  withdrawInvitations,
} from '../../db/queries/invitations.ts'
import { AppError, notFound } from '../../errors.ts'
import { toBase64Url } from '../../lib/base64url.ts'
import { sha256Hex } from '../../lib/hash.ts'
import { isId, newId } from '../../lib/ids.ts'
import { audit } from '../audit/record.ts'
import type { ServiceContext, ServiceDeps } from '../context.ts'
import { invitationMail } from '../mail/messages.ts'
import { requirePermission } from '../permissions.ts'
import { decideAndWrite } from './attempt.ts'
import type { Forgetful } from './losses.ts'
import { nowIso } from './member-state.ts'
import { assertBrandsFit, knownBrands } from './members.ts'
import { type CreatedInvitation, type CreateInvitation, Invitation, InvitationPreview } from './schemas.ts'
import { requireAllOf, rightsChanged, standingOf, userIdOf } from './standing.ts'

/** Open ones of a workspace. */
const MAX_OPEN = 100
const DEFAULT_DAYS = 7
/** `tmi_` and 32 bytes in base64url. */
const TOKEN_SHAPE = /^tmi_[A-Za-z0-9_-]{43}$/

function present(row: InvitationRow): Invitation {
  return Invitation.parse(row)
}

/**
 * Makes a link by which one person becomes a member, and mails it where it is for somebody and mail can be
 * sent. The link is in the answer and nowhere else.
 * @throws insufficient_role for a role above one's own; conflict for a member, and beyond 100 open ones
 */
export async function createInvitation(
  ctx: ServiceContext,
  input: CreateInvitation,
): Promise<CreatedInvitation> {
  requirePermission(ctx.actor, 'members.manage')
  requireAllOf(ctx.actor, input.role)
  const email = input.email ?? null
  const brands = input.brands == null ? null : await knownBrands(ctx, input.brands)
  assertBrandsFit({ role: input.role, brands })
  const workspaceId = ctx.workspace.id
  const token = `tmi_${toBase64Url(crypto.getRandomValues(new Uint8Array(32)))}`
  const now = ctx.clock.now()
  const id = newId(now)
  const by = standingOf(ctx.actor)
  const invitation = {
    id,
    email,
    role: input.role,
    brands,
    tokenHash: await sha256Hex(token),
    by,
    createdAt: new Date(now).toISOString(),
    expiresAt: new Date(now + (input.expiresInDays ?? DEFAULT_DAYS) * 86_400_000).toISOString(),
  }
  if (email !== null) await assertNoMember(ctx, email)
  const { role, expiresAt } = invitation
  const [, , [row]] = await ctx.db
    .inWorkspace(workspaceId, [
      lockRights(workspaceId),
      proceedOnlyIf(stillStands(workspaceId, by)),
      insertInvitation(workspaceId, invitation, MAX_OPEN),
      audit(ctx, {
        action: 'invitation.created',
        target: { kind: 'invitation', id, name: email },
        details: { role, brands, expiresAt },
        onlyIf: invitationExists(workspaceId, id),
      }),
    ])
    .catch((error: unknown) => {
      throw wasOvertaken(error) ? rightsChanged() : error
    })
  if (row === undefined)
    throw new AppError(
      'conflict',
      `A workspace has at most ${MAX_OPEN} open invitations: withdraw some first.`,
    )
  const url = `${ctx.publicUrl}/invite#${token}`
  return { ...present(row), url, mailed: await mail(ctx, row, url) }
}

async function assertNoMember(ctx: ServiceContext, email: string): Promise<void> {
  const [members] = await ctx.db.inWorkspace(ctx.workspace.id, [memberByEmail(ctx.workspace.id, email)])
  if (members.length > 0) throw new AppError('conflict', `${email} is a member of this workspace already.`)
}

/** Whether a mail is on its way. Where it is not, there is still the link. */
async function mail(
  ctx: ServiceContext,
  row: InvitationRow & { workspaceName: string },
  url: string,
): Promise<boolean> {
  if (ctx.mailer === null || row.email === null) return false
  const { workspaceName, role, expiresAt } = row
  try {
    const message = invitationMail({ workspaceName, inviterName: row.invitedBy ?? '', role, url, expiresAt })
    await ctx.mailer.send({ to: row.email, ...message })
    return true
  } catch (error) {
    ctx.log.warn('invitation not mailed', { workspaceId: ctx.workspace.id, invitationId: row.id, error })
    return false
  }
}

export interface InvitationPage {
  items: Invitation[]
  /** The last one's id, where there are more. */
  next: string | null
}

/** The workspace's invitations, whatever became of them, the newest first. */
export async function listInvitationsPage(
  ctx: ServiceContext,
  page: { limit: number; before: string | null },
): Promise<InvitationPage> {
  requirePermission(ctx.actor, 'members.manage')
  const [rows] = await ctx.db.inWorkspace(ctx.workspace.id, [
    listInvitations(ctx.workspace.id, page, nowIso(ctx)),
  ])
  const items = rows.slice(0, page.limit).map(present)
  return { items, next: rows.length > page.limit ? (items.at(-1)?.id ?? null) : null }
}

/**
 * Makes a link worthless. One that is so already stays as it is.
 * @throws conflict for one that was accepted; insufficient_role for a role above one's own
 */
export async function withdrawInvitation(ctx: ServiceContext, id: string): Promise<void> {
  requirePermission(ctx.actor, 'members.manage')
  if (!isId(id)) throw notFound('invitation')
  const workspaceId = ctx.workspace.id
  await decideAndWrite(async () => {
    const [[row]] = await ctx.db.inWorkspace(workspaceId, [selectInvitation(workspaceId, id, nowIso(ctx))])
    if (row === undefined) throw notFound('invitation')
    requireAllOf(ctx.actor, row.role)
    if (row.state === 'accepted')
      throw new AppError('conflict', 'This invitation was accepted: remove the member instead.')
    if (row.state !== 'open') return
    await ctx.db.inWorkspace(workspaceId, [
      lockInvitation(workspaceId, id),
      proceedOnlyIf(isUnused(workspaceId, id)),
      withdrawInvitations(workspaceId, [id], nowIso(ctx)),
      audit(ctx, {
        action: 'invitation.withdrawn',
        target: { kind: 'invitation', id, name: row.email },
        details: { role: row.role },
      }),
    ])
  })
}

/** What a link says, to whoever has it. @throws not_found for one that was never made */
export async function getInvitationPreview(
  deps: Pick<ServiceDeps, 'db' | 'clock'>,
  token: string,
): Promise<InvitationPreview> {
  const [row] = await deps.db.outside(previewInvitation(await hashOf(token), nowIso(deps)))
  if (row === undefined) throw notFound('invitation')
  return InvitationPreview.parse(row)
}

/**
 * Makes the caller a member by a link; once more changes nothing.
 * @throws not_found, gone, or wrong_person where it is for another address
 */
export async function acceptInvitation(
  ctx: ServiceContext,
  token: string,
  directory: Forgetful,
): Promise<{ workspaceId: string }> {
  const userId = userIdOf(ctx.actor)
  if (userId === null) throw new AppError('insufficient_scope', 'Only people may do this, no API key.')
  const [answer] = await ctx.db.outside(
    acceptStored(await hashOf(token), userId, {
      nowIso: nowIso(ctx),
      ...ctx.origin,
      requestId: ctx.requestId,
    }),
  )
  switch (answer?.outcome) {
    case 'joined':
    case 'member':
      break
    case 'accepted':
      throw new AppError('gone', 'This invitation was accepted already. Ask for a new one.')
    case 'withdrawn':
      throw new AppError('gone', 'This invitation was withdrawn. Ask for a new one.')
    case 'expired':
      throw new AppError('gone', 'This invitation has expired. Ask for a new one.')
    case 'wrong_email':
      throw new AppError(
        'wrong_person',
        'This invitation is for another e-mail address: sign in with that one.',
      )
    default:
      throw notFound('invitation')
  }
  await directory.forgetUser(userId)
  if (answer.workspaceId === null) throw new AppError('internal', 'The invitation names no workspace.')
  return { workspaceId: answer.workspaceId }
}

/** @throws not_found for what can be no token */
async function hashOf(token: string): Promise<string> {
  if (!TOKEN_SHAPE.test(token)) throw notFound('invitation')
  return sha256Hex(token)
}
