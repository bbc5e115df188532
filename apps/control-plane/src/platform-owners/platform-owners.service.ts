import { Inject, Injectable } from '@nestjs/common';
import { appendAudit } from '#libs/audit';
import type { Database, Transaction } from '#libs/database';
import { AppError } from '#libs/errors';
import { doneBy, type OperatorCaller } from '../access/caller.js';
import type { AnswerOf, InputOf } from '../contract/contract.js';
import { InvitationsService } from '../invitations/invitations.service.js';
import { MembersRepository, type OwnerRow } from '../members/members.repository.js';
import { OperatorOrders } from '../operator-orders/operator-orders.service.js';
import { actOf } from '../operators/act.js';
import { PlatformTenantsService } from '../platform-tenants/platform-tenants.service.js';
import { TENANT_DATABASE } from '../platform/tokens.js';
import type { appointOwner, showOwners } from './platform-owners.schema.js';

type Appointed = AnswerOf<typeof appointOwner>;

/** What was done, and about whom: no address, which nobody could take out of a log again. */
interface Done {
  readonly answer: Appointed;
  readonly whom: { readonly account: string } | { readonly invitation: string };
}

/** Owners are made by owners. Where nobody can reach one, an operator makes the first, and both audits say so. */
@Injectable()
export class PlatformOwnersService {
  constructor(
    @Inject(OperatorOrders) private readonly orders: OperatorOrders,
    @Inject(TENANT_DATABASE) private readonly database: Database,
    @Inject(PlatformTenantsService) private readonly tenants: PlatformTenantsService,
    @Inject(MembersRepository) private readonly members: MembersRepository,
    @Inject(InvitationsService) private readonly invitations: InvitationsService,
  ) {}

  /** @throws AppError `not_found` */
  async show(caller: OperatorCaller, slug: string): Promise<AnswerOf<typeof showOwners>> {
    const id = await this.tenants.look(caller, slug, 'tenants.owners', (_tx, tenantId) => Promise.resolve(tenantId));
    const owners = await this.database.asTenant(id, (tx) => this.members.owners(tx, id));
    const reachable = owners.filter((owner) => owner.reachable).length;
    return { reachable, unreachable: owners.length - reachable };
  }

  /** @throws AppError `not_found`, `conflict` where an owner can be reached */
  async appoint(
    caller: OperatorCaller,
    slug: string,
    { email, reason }: InputOf<typeof appointOwner>['body'],
  ): Promise<Appointed> {
    const { id, slug: own } = await this.tenants.get(slug);
    await this.database.asTenant(id, (tx) => this.#lostOwner(tx, id));
    // As an order: services write members as another role than operators' acts, in a transaction of its own.
    const act = actOf(caller, { action: 'tenants.appoint_owner', reason, tenantId: id });
    return this.orders.give({ act }, async (note) => {
      const appointed = await this.#appoint(caller, { id, slug: own, email, reason });
      note.tell({ became: appointed.became });
      return appointed;
    });
  }

  async #appoint(
    caller: OperatorCaller,
    { id, slug, email, reason }: Readonly<Record<'id' | 'slug' | 'email' | 'reason', string>>,
  ): Promise<Appointed> {
    return this.database.asTenantWithShared(id, async (tx, shared) => {
      const lost = await this.#lostOwner(tx, id);
      const appointed = await this.#promote(tx, id, email);
      const done = appointed ?? (await this.#invite(tx, shared, { id, slug, email, invitedBy: lost.account_id }));
      const { answer, whom } = done;
      const details = { became: answer.became, ...whom, reason };
      const entry = { event: 'tenant.owner_appointed', target: `tenant:${id}`, details } as const;
      await appendAudit(tx, id, [doneBy(caller, entry)]);
      return answer;
    });
  }

  async #promote(tx: Transaction, tenantId: string, email: string): Promise<Done | undefined> {
    const member = await this.members.findByEmail(tx, tenantId, email);
    if (member === undefined) return undefined;
    await this.members.change(tx, tenantId, { ...member, role: 'owner' });
    return { answer: { became: 'owner', expires_at: null }, whom: { account: member.account_id } };
  }

  async #invite(
    tx: Transaction,
    shared: Transaction,
    { id, slug, email, invitedBy }: Readonly<Record<'id' | 'slug' | 'email' | 'invitedBy', string>>,
  ): Promise<Done> {
    const invited = { tenantId: id, tenantSlug: slug, email, role: 'owner', groups: [], hours: HOURS } as const;
    const row = await this.invitations.send(tx, shared, { ...invited, invitedBy });
    const answer = { became: 'invited', expires_at: row.expires_at.toISOString() } as const;
    return { answer, whom: { invitation: row.id } };
  }

  /** The owner in whose place another is made. @throws AppError `conflict` where one can be reached, or there is none */
  async #lostOwner(tx: Transaction, tenantId: string): Promise<OwnerRow> {
    const [first, ...more] = await this.members.owners(tx, tenantId);
    if (first !== undefined && ![first, ...more].some(({ reachable }) => reachable)) return first;
    throw new AppError('conflict', {
      message:
        'An owner of this tenant can be reached. Owners make owners, with POST /v1/invitations or PATCH /v1/members.',
    });
  }
}

/** A week, as invitations have it. */
const HOURS = 7 * 24;
