import { Inject, Injectable } from '@nestjs/common';
import { appendAudit } from '#libs/audit';
import { newId, type Database, type Transaction } from '#libs/database';
import { AppError } from '#libs/errors';
import { invitationLetter, queueMail } from '#libs/mail';
import { languageOf } from '#libs/pages';
import { doneBy, type TenantCaller } from '../access/caller.js';
import type { ControlPlaneConfig } from '../config.js';
import type { AnswerOf, InputOf } from '../contract/contract.js';
import { personOf, requireOwner } from '../members/member-rules.js';
import { MembersRepository } from '../members/members.repository.js';
import { pageOf } from '../paging/cursor.js';
import { CONFIG, TENANT_DATABASE } from '../platform/tokens.js';
import { hashInvitation, mintInvitation } from './invitation-token.js';
import { InvitationsRepository, type InvitationRow, type NewInvitation } from './invitations.repository.js';
import type { createInvitation, listInvitations } from './invitations.schema.js';

const OPEN_MAX = 200;

/** Somebody who is invited to a tenant. */
interface Invited extends Omit<NewInvitation, 'id' | 'tokenHash'> {
  readonly tenantId: string;
  readonly tenantSlug: string;
}

/** Invitations that a tenant's people send. */
@Injectable()
export class InvitationsService {
  constructor(
    @Inject(CONFIG) private readonly config: ControlPlaneConfig,
    @Inject(TENANT_DATABASE) private readonly database: Database,
    @Inject(MembersRepository) private readonly members: MembersRepository,
    @Inject(InvitationsRepository) private readonly invitations: InvitationsRepository,
  ) {}

  /** @throws AppError `forbidden` for owners’ business, `conflict` for members and too many open invitations */
  async create(
    caller: TenantCaller,
    { email, role, groups, expires_in_hours: hours }: InputOf<typeof createInvitation>['body'],
  ): Promise<AnswerOf<typeof createInvitation>> {
    const { tenantId, tenantSlug } = caller;
    return this.database.asTenantWithShared(tenantId, async (tx, shared) => {
      if (role === 'owner') await requireOwner(tx, this.members, caller);
      if (await this.invitations.isMember(tx, tenantId, email)) {
        throw new AppError('conflict', { message: 'This person is a member already. Change their role instead.' });
      }
      if ((await this.invitations.countOpen(tx, tenantId)) >= OPEN_MAX) {
        throw new AppError('conflict', { message: `At most ${OPEN_MAX} invitations are open. Withdraw some first.` });
      }
      const invited = { tenantId, tenantSlug, email, role, groups, hours, invitedBy: personOf(caller) };
      const row = await this.send(tx, shared, invited);
      await note(tx, caller, 'invitation.created', row);
      return view(row);
    });
  }

  /** Stores an invitation and queues its mail; who may send it, and that it was sent, is for the caller to see to. */
  async send(
    tx: Transaction,
    shared: Transaction,
    { tenantId, tenantSlug, ...invited }: Invited,
  ): Promise<InvitationRow> {
    const token = mintInvitation(tenantId);
    const { email, role, hours } = invited;
    const made = { id: newId(), tokenHash: hashInvitation(token), ...invited };
    const row = await this.invitations.insert(tx, tenantId, made);
    const link = `${this.config.WHARF_PUBLIC_URL}/v1/invitations/acceptance/${token}`;
    const letter = invitationLetter({ tenantSlug, role, hours, link }, languageOf(undefined));
    await queueMail(shared, this.config.WHARF_MASTER_KEY, { to: email, ...letter, usefulSeconds: hours * 3_600 });
    return row;
  }

  async list(
    { tenantId }: TenantCaller,
    query: InputOf<typeof listInvitations>['query'],
  ): Promise<AnswerOf<typeof listInvitations>> {
    const wanted = { ...query, limit: query.limit + 1 };
    const rows = await this.database.asTenant(tenantId, (tx) => this.invitations.list(tx, tenantId, wanted));
    const page = pageOf(rows, query.limit);
    return { invitations: page.rows.map(view), next_cursor: page.next };
  }

  /** @throws AppError `not_found`, or `conflict` for one that was accepted */
  async withdraw(caller: TenantCaller, id: string): Promise<void> {
    const { tenantId } = caller;
    await this.database.asTenant(tenantId, async (tx) => {
      const row = await this.invitations.lock(tx, tenantId, id);
      if (row === undefined) throw new AppError('not_found');
      if (row.state === 'withdrawn') return;
      if (row.state === 'accepted') {
        throw new AppError('conflict', { message: 'It was accepted. Remove the member instead.' });
      }
      await this.invitations.withdraw(tx, tenantId, id);
      await note(tx, caller, 'invitation.withdrawn', row);
    });
  }
}

async function note(
  tx: Transaction,
  caller: TenantCaller,
  event: 'invitation.created' | 'invitation.withdrawn',
  row: InvitationRow,
): Promise<void> {
  const details = { role: row.role, groups: row.groups, email: row.email };
  await appendAudit(tx, caller.tenantId, [doneBy(caller, { event, target: `invitation:${row.id}`, details })]);
}

function view(row: InvitationRow): AnswerOf<typeof createInvitation> {
  return { ...row, created_at: row.created_at.toISOString(), expires_at: row.expires_at.toISOString() };
}
