import { Inject, Injectable } from '@nestjs/common';
import { appendAudit } from '#libs/audit';
import type { Database, Transaction } from '#libs/database';
import { AppError } from '#libs/errors';
import type { TenantVault } from '#libs/secrets';
import { actorOf, doneBy, type TenantCaller } from '../access/caller.js';
import type { AnswerOf, InputOf } from '../contract/contract.js';
import { pageByKey } from '../paging/cursor.js';
import { TENANT_DATABASE, VAULT } from '../platform/tokens.js';
import { storedName, view } from './secret-view.js';
import { SecretsRepository, type SecretRow } from './secrets.repository.js';
import type { deleteVersion, listVersions, restoreVersion } from './secrets.schema.js';

const DIGITS = 10;

/** The versions of a tenant's secrets that are kept. */
@Injectable()
export class SecretVersionsService {
  constructor(
    @Inject(TENANT_DATABASE) private readonly database: Database,
    @Inject(VAULT) private readonly vault: TenantVault,
    @Inject(SecretsRepository) private readonly secrets: SecretsRepository,
  ) {}

  /** @throws AppError `not_found` */
  async list({ tenantId }: TenantCaller, input: InputOf<typeof listVersions>): Promise<AnswerOf<typeof listVersions>> {
    const name = storedName(input);
    const rows = await this.database.asTenant(tenantId, (tx) => this.secrets.listVersions(tx, tenantId, name));
    if (rows.length === 0) throw new AppError('not_found');
    const keyOf = ({ version }: { version: number }): string => String(version).padStart(DIGITS, '0');
    const page = pageByKey(rows, keyOf, 'descending', input.query);
    return {
      versions: page.rows.map((row) => ({ ...row, created_at: row.created_at.toISOString() })),
      next_cursor: page.next,
    };
  }

  /** @throws AppError `not_found`; `conflict` for the version in use */
  async restore(caller: TenantCaller, input: InputOf<typeof restoreVersion>): Promise<AnswerOf<typeof restoreVersion>> {
    const { tenantId } = caller;
    const { version: from } = input.params;
    const name = storedName(input);
    return this.database.asTenant(tenantId, async (tx) => {
      const before = await this.#lock(tx, tenantId, name);
      input.precondition.require(view(before));
      if (before.version === from) throw inUse(from, 'There is nothing to restore.');
      const written = { name, version: from, by: actorOf(caller) };
      const version = await this.vault.restoreSecret(tx, tenantId, written);
      if (version === undefined) throw new AppError('not_found');
      const details = { version, restored_from: from };
      await appendAudit(tx, tenantId, [doneBy(caller, { event: 'secret.written', target: `secret:${name}`, details })]);
      return view((await this.secrets.find(tx, tenantId, name)) ?? before);
    });
  }

  /** @throws AppError `not_found`; `conflict` for the version in use */
  async remove(caller: TenantCaller, input: InputOf<typeof deleteVersion>): Promise<void> {
    const { tenantId } = caller;
    const { version } = input.params;
    const name = storedName(input);
    await this.database.asTenant(tenantId, async (tx) => {
      const { version: current } = await this.#lock(tx, tenantId, name);
      if (current === version) throw inUse(version, 'Write another value first, or delete the secret.');
      if (!(await this.secrets.removeVersion(tx, tenantId, name, version))) throw new AppError('not_found');
      const details = { version };
      await appendAudit(tx, tenantId, [
        doneBy(caller, { event: 'secret.version_deleted', target: `secret:${name}`, details }),
      ]);
    });
  }

  /** The secret; writes of the tenant's secrets wait for each other. */
  async #lock(tx: Transaction, tenantId: string, name: string): Promise<SecretRow> {
    await this.secrets.count(tx, tenantId);
    const row = await this.secrets.find(tx, tenantId, name);
    if (row === undefined) throw new AppError('not_found');
    return row;
  }
}

function inUse(version: number, next: string): AppError {
  return new AppError('conflict', { message: `Version ${version} is the one in use. ${next}` });
}
