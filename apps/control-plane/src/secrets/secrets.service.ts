import { Inject, Injectable } from '@nestjs/common';
import { appendAudit } from '#libs/audit';
import type { Database, Transaction } from '#libs/database';
import { AppError } from '#libs/errors';
import type { TenantVault } from '#libs/secrets';
import { actorOf, doneBy, type TenantCaller } from '../access/caller.js';
import type { AnswerOf, InputOf } from '../contract/contract.js';
import { otherThanProduction } from '../environments/environment-name.js';
import { pageByKey } from '../paging/cursor.js';
import { TENANT_DATABASE, VAULT } from '../platform/tokens.js';
import { storedName, view } from './secret-view.js';
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
    const environment = otherThanProduction(query.environment);
    const rows = await this.database.asTenant(tenantId, (tx) => this.secrets.list(tx, tenantId, environment));
    const page = pageByKey(rows, ({ name }) => name, 'ascending', query);
    return { secrets: page.rows.map(view), next_cursor: page.next };
  }

  /** @throws AppError `not_found` */
  async get({ tenantId }: TenantCaller, input: InputOf<typeof getSecret>): Promise<AnswerOf<typeof getSecret>> {
    const row = await this.database.asTenant(tenantId, (tx) => this.secrets.find(tx, tenantId, storedName(input)));
    if (row === undefined) throw new AppError('not_found');
    return view(row);
  }

  /** @throws AppError `conflict` when the tenant has as many secrets as it may, `unprocessable` for no environment of its servers. */
  async write(caller: TenantCaller, input: InputOf<typeof writeSecret>): Promise<AnswerOf<typeof writeSecret>> {
    const { tenantId } = caller;
    const { value } = input.body;
    const name = storedName(input);
    return this.database.asTenant(tenantId, async (tx) => {
      await this.#refuseUnknownEnvironment(tx, tenantId, otherThanProduction(input.query.environment));
      const before = await this.#refuseTooMany(tx, tenantId, name);
      input.precondition.require(before && view(before));
      const version = await this.vault.writeSecret(tx, tenantId, name, value, { by: actorOf(caller) });
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
  async remove(caller: TenantCaller, input: InputOf<typeof deleteSecret>): Promise<void> {
    const { tenantId } = caller;
    const name = storedName(input);
    await this.database.asTenant(tenantId, async (tx) => {
      await this.secrets.count(tx, tenantId);
      const row = await this.secrets.find(tx, tenantId, name);
      if (row === undefined) throw new AppError('not_found');
      input.precondition.require(view(row));
      await this.secrets.remove(tx, tenantId, name);
      await appendAudit(tx, tenantId, [doneBy(caller, { event: 'secret.deleted', target: `secret:${name}` })]);
    });
  }

  async #refuseUnknownEnvironment(tx: Transaction, tenantId: string, environment: string | undefined): Promise<void> {
    if (environment === undefined || (await this.secrets.hasEnvironment(tx, tenantId, environment))) return;
    throw new AppError('unprocessable', {
      message: `None of your servers has an environment ${environment}. Make it with POST /v1/servers/{server}/environments.`,
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
