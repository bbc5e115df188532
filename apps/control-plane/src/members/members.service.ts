import { Inject, Injectable } from '@nestjs/common';
import { appendAudit, type EventDetails } from '#libs/audit';
import type { Database, Transaction } from '#libs/database';
import { AppError } from '#libs/errors';
import { doneBy, type TenantCaller } from '../access/caller.js';
import { rolesWith } from '../access/permissions.js';
import { settleKeysOf, type SettledKeys } from '../api-keys/keys-of-leavers.js';
import type { AnswerOf, InputOf } from '../contract/contract.js';
import { pageOf } from '../paging/cursor.js';
import { TENANT_DATABASE } from '../platform/tokens.js';
import { rolesNotToInvite, requireLastingOwner, requireOwner } from './member-rules.js';
import { MembersRepository, type MemberRow, type Role } from './members.repository.js';
import type { changeMember, getMember, listMembers, removeMember } from './members.schema.js';

/** What ended with somebody's role. */
interface EndedWithRole extends Partial<SettledKeys> {
  readonly invitations_withdrawn?: number;
}

/** Who belongs to a tenant, and as what. */
@Injectable()
export class MembersService {
  constructor(
    @Inject(TENANT_DATABASE) private readonly database: Database,
    @Inject(MembersRepository) private readonly members: MembersRepository,
  ) {}

  async list(
    { tenantId }: TenantCaller,
    query: InputOf<typeof listMembers>['query'],
  ): Promise<AnswerOf<typeof listMembers>> {
    const wanted = { ...query, limit: query.limit + 1 };
    const rows = await this.database.asTenant(tenantId, (tx) => this.members.list(tx, tenantId, wanted));
    const page = pageOf(
      rows.map((row) => ({ id: row.account_id, row })),
      query.limit,
    );
    return { members: page.rows.map(({ row }) => view(row)), next_cursor: page.next };
  }

  /** @throws AppError `not_found` */
  async get({ tenantId }: TenantCaller, id: string): Promise<AnswerOf<typeof getMember>> {
    return view(required(await this.database.asTenant(tenantId, (tx) => this.members.find(tx, tenantId, id))));
  }

  /** @throws AppError `not_found`, `forbidden` for owners’ business, or `conflict` where the tenant would lose its owner */
  async change(
    caller: TenantCaller,
    { params, query, body, precondition }: InputOf<typeof changeMember>,
  ): Promise<AnswerOf<typeof changeMember>> {
    const { tenantId } = caller;
    return this.database.asTenant(tenantId, async (tx) => {
      const before = required(await this.members.lock(tx, tenantId, params.member));
      precondition.require(view(before));
      const after = { ...before, role: body.role ?? before.role, groups: body.groups ?? before.groups };
      if (before.role !== after.role) {
        if (before.role === 'owner' || after.role === 'owner') await requireOwner(tx, this.members, caller);
        await requireLastingOwner(tx, this.members, { tenantId, before, after: after.role });
      }
      if (body.groups !== undefined && before.from_provider) {
        throw new AppError('conflict', { message: 'This person’s groups are those that their provider says.' });
      }
      await this.members.change(tx, tenantId, after);
      const ended = before.role === after.role ? {} : await this.#endWithRole(tx, caller, after, query.keys);
      await this.#record(tx, caller, { before, after, ended });
      return view(after);
    });
  }

  /** @throws AppError `not_found`, `forbidden` for owners, or `conflict` for the last one */
  async remove(
    caller: TenantCaller,
    { params, query: { keys }, precondition }: InputOf<typeof removeMember>,
  ): Promise<AnswerOf<typeof removeMember>> {
    const { tenantId } = caller;
    return this.database.asTenant(tenantId, async (tx) => {
      const before = required(await this.members.lock(tx, tenantId, params.member));
      precondition.require(view(before));
      if (before.role === 'owner') await requireOwner(tx, this.members, caller);
      await requireLastingOwner(tx, this.members, { tenantId, before });
      const ended = {
        grants_ended: await this.members.remove(tx, tenantId, params.member),
        invitations_withdrawn: await this.#withdrawInvitations(tx, tenantId, before, undefined),
        ...(await settleKeysOf(tx, caller, { accountIds: [params.member], keys })),
      };
      const details = { role_before: before.role, ...ended };
      await note(tx, caller, before, { event: 'member.removed', details });
      return { ...ended, clients_known: await this.members.clientsGivenTo(tx, tenantId, params.member) };
    });
  }

  /** Ends what somebody had by a role that they have no more: invitations, and keys where the new one may make none. */
  async #endWithRole(
    tx: Transaction,
    caller: TenantCaller,
    after: MemberRow,
    keys: InputOf<typeof changeMember>['query']['keys'],
  ): Promise<EndedWithRole> {
    const { tenantId } = caller;
    const withdrawn = await this.#withdrawInvitations(tx, tenantId, after, after.role);
    const settled = rolesWith('api_keys.write').includes(after.role)
      ? {}
      : await settleKeysOf(tx, caller, { accountIds: [after.account_id], keys });
    return { invitations_withdrawn: withdrawn, ...settled };
  }

  #withdrawInvitations(
    tx: Transaction,
    tenantId: string,
    { account_id: accountId }: MemberRow,
    role: Role | undefined,
  ): Promise<number> {
    return this.members.withdrawInvitations(tx, tenantId, { accountId, to: rolesNotToInvite(role) });
  }

  async #record(
    tx: Transaction,
    caller: TenantCaller,
    { before, after, ended }: { readonly before: MemberRow; readonly after: MemberRow; readonly ended: EndedWithRole },
  ): Promise<void> {
    if (before.role !== after.role) {
      const details = { role: after.role, role_before: before.role, ...ended };
      await note(tx, caller, after, { event: 'member.role_changed', details });
    }
    if (before.groups.join('\n') !== after.groups.join('\n')) {
      const details = { groups: after.groups, groups_before: before.groups };
      await note(tx, caller, after, { event: 'member.groups_changed', details });
    }
  }
}

async function note(
  tx: Transaction,
  caller: TenantCaller,
  { account_id: id }: MemberRow,
  done: EventDetails<'member.role_changed' | 'member.groups_changed' | 'member.removed'>,
): Promise<void> {
  await appendAudit(tx, caller.tenantId, [doneBy(caller, { ...done, target: `member:${id}` })]);
}

function required(row: MemberRow | undefined): MemberRow {
  if (row === undefined) throw new AppError('not_found');
  return row;
}

function view(row: MemberRow): AnswerOf<typeof getMember> {
  return { ...row, created_at: row.created_at.toISOString() };
}
