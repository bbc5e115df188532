import { Inject, Injectable } from '@nestjs/common';
import { appendAudit } from '#libs/audit';
import type { Database, Transaction } from '#libs/database';
import { AppError } from '#libs/errors';
import type { TenantVault } from '#libs/secrets';
import { doneBy, type TenantCaller } from '../access/caller.js';
import type { AnswerOf, InputOf } from '../contract/contract.js';
import { pageByKey } from '../paging/cursor.js';
import { TENANT_DATABASE, VAULT } from '../platform/tokens.js';
import { SecretsRepository, type SecretRow } from './secrets.repository.js';
import {
  SECRETS_MAX,
  type deleteSecret,
  type getSecret,
  type listSecrets,
  type writeSecret,
} from './secrets.schema.js';

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
    return { secrets: page.rows.map(view), next_cursor: page.next };
  }

  /** @throws AppError `not_found` */
  async get({ tenantId }: TenantCaller, name: string): Promise<AnswerOf<typeof getSecret>> {
    const row = await this.database.asTenant(tenantId, (tx) => this.secrets.find(tx, tenantId, name));
    if (row === undefined) throw new AppError('not_found');
    return view(row);
  }

  /** @throws AppError `conflict` when the tenant has as many secrets as it may. */
  async write(
    caller: TenantCaller,
    { params: { name }, body: { value }, precondition }: InputOf<typeof writeSecret>,
  ): Promise<AnswerOf<typeof writeSecret>> {
    const { tenantId } = caller;
    return this.database.asTenant(tenantId, async (tx) => {
      const before = await this.#refuseTooMany(tx, tenantId, name);
      precondition.require(before && view(before));
      const version = await this.vault.writeSecret(tx, tenantId, name, value);
      await appendAudit(tx, tenantId, [
        doneBy(caller, { event: 'secret.written', target: `secret:${name}`, details: { version } }),
      ]);
      const row = await this.secrets.find(tx, tenantId, name);
      if (row === undefined)
        throw new AppError('internal', { detail: { reason: 'a secret that was written is gone' } });
      return view(row);
    });
  }

  /** @throws AppError `not_found` */
  async remove(caller: TenantCaller, { params: { name }, precondition }: InputOf<typeof deleteSecret>): Promise<void> {
    const { tenantId } = caller;
    await this.database.asTenant(tenantId, async (tx) => {
      await this.secrets.count(tx, tenantId);
      const row = await this.secrets.find(tx, tenantId, name);
      if (row === undefined) throw new AppError('not_found');
      precondition.require(view(row));
      await this.secrets.remove(tx, tenantId, name);
      await appendAudit(tx, tenantId, [doneBy(caller, { event: 'secret.deleted', target: `secret:${name}` })]);
    });
  }

  /** The secret as it is before it is written; one more is refused where there are enough. */
  async #refuseTooMany(tx: Transaction, tenantId: string, name: string): Promise<SecretRow | undefined> {
    const count = await this.secrets.count(tx, tenantId);
    const row = await this.secrets.find(tx, tenantId, name);
    if (row !== undefined || count < SECRETS_MAX) return row;
    throw new AppError('conflict', { message: `A tenant has at most ${SECRETS_MAX} secrets. Delete one first.` });
  }
}

function view({ name, version, created_at: created, updated_at: updated }: SecretRow): AnswerOf<typeof getSecret> {
  return { name, version, created_at: created.toISOString(), updated_at: updated.toISOString() };
}
