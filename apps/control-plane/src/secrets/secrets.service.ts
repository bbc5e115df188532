import { Inject, Injectable } from '@nestjs/common';
import { appendAudit } from '#libs/audit';
import type { Database, Transaction } from '#libs/database';
import { AppError } from '#libs/errors';
import type { TenantVault } from '#libs/secrets';
import { doneBy, type TenantCaller } from '../access/caller.js';
import type { AnswerOf, InputOf } from '../contract/contract.js';
import { pageByKey } from '../paging/cursor.js';
import { TENANT_DATABASE, VAULT } from '../platform/tokens.js';
import { SecretsRepository } from './secrets.repository.js';
import type { listSecrets, writeSecret } from './secrets.schema.js';

const SECRETS_MAX = 500;

/** A tenant's secrets: written and deleted here, read by egress alone. */
@Injectable()
export class SecretsService {
  constructor(
    @Inject(TENANT_DATABASE) private readonly database: Database,
    @Inject(VAULT) private readonly vault: TenantVault,
    @Inject(SecretsRepository) private readonly secrets: SecretsRepository,
  ) {}

  async list(
    { tenantId }: TenantCaller,
    query: InputOf<typeof listSecrets>['query'],
  ): Promise<AnswerOf<typeof listSecrets>> {
    const rows = await this.database.asTenant(tenantId, (tx) => this.secrets.list(tx, tenantId));
    const page = pageByKey(rows, ({ name }) => name, 'ascending', query);
    return {
      secrets: page.rows.map(({ name, version, created_at: created, updated_at: updated }) => ({
        name,
        version,
        created_at: created.toISOString(),
        updated_at: updated.toISOString(),
      })),
      next_cursor: page.next,
    };
  }

  /** @throws AppError `conflict` when the tenant has as many secrets as it may. */
  async write(caller: TenantCaller, name: string, value: string): Promise<AnswerOf<typeof writeSecret>> {
    const { tenantId } = caller;
    return this.database.asTenant(tenantId, async (tx) => {
      await this.#refuseTooMany(tx, tenantId, name);
      const version = await this.vault.writeSecret(tx, tenantId, name, value);
      await appendAudit(tx, tenantId, [
        doneBy(caller, { event: 'secret.written', target: `secret:${name}`, details: { version } }),
      ]);
      const row = await this.secrets.find(tx, tenantId, name);
      return { name, version, updated_at: (row?.updated_at ?? new Date()).toISOString() };
    });
  }

  /** @throws AppError `not_found` */
  async remove(caller: TenantCaller, name: string): Promise<void> {
    const { tenantId } = caller;
    await this.database.asTenant(tenantId, async (tx) => {
      if (!(await this.secrets.remove(tx, tenantId, name))) throw new AppError('not_found');
      await appendAudit(tx, tenantId, [doneBy(caller, { event: 'secret.deleted', target: `secret:${name}` })]);
    });
  }

  async #refuseTooMany(tx: Transaction, tenantId: string, name: string): Promise<void> {
    const count = await this.secrets.count(tx, tenantId);
    if (count < SECRETS_MAX || (await this.secrets.find(tx, tenantId, name)) !== undefined) return;
    throw new AppError('conflict', { message: `A tenant has at most ${SECRETS_MAX} secrets. Delete one first.` });
  }
}
