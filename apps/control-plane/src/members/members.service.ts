import { Inject, Injectable } from '@nestjs/common';
import type { Database } from '#libs/database';
import type { TenantCaller } from '../access/caller.js';
import type { AnswerOf } from '../contract/contract.js';
import { TENANT_DATABASE } from '../platform/tokens.js';
import { MembersRepository } from './members.repository.js';
import type { listMembers } from './members.schema.js';

/** Who belongs to a tenant. */
@Injectable()
export class MembersService {
  constructor(
    @Inject(TENANT_DATABASE) private readonly database: Database,
    @Inject(MembersRepository) private readonly members: MembersRepository,
  ) {}

  async list({ tenantId }: TenantCaller): Promise<AnswerOf<typeof listMembers>> {
    const rows = await this.database.asTenant(tenantId, (tx) => this.members.list(tx, tenantId));
    return { members: rows.map((row) => ({ ...row, created_at: row.created_at.toISOString() })) };
  }
}
