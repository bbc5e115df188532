import { Inject, Injectable } from '@nestjs/common';
import { appendAudit } from '#libs/audit';
import type { Database, Transaction } from '#libs/database';
import { AppError } from '#libs/errors';
import type { TenantVault } from '#libs/secrets';
import { doneBy, type OperatorCaller } from '../access/caller.js';
import type { AnswerOf } from '../contract/contract.js';
import { actOf, lookOf } from '../operators/act.js';
import { PlatformTenantsRepository } from '../platform-tenants/platform-tenants.repository.js';
import { PlatformTenantsService } from '../platform-tenants/platform-tenants.service.js';
import { OPERATOR_DATABASE, VAULT } from '../platform/tokens.js';
import { PlatformDataKeysRepository } from './platform-data-keys.repository.js';
import type { replaceDataKey } from './platform-data-keys.schema.js';

/** An older key goes a day after nothing needs it; so many in a day are a mistake. */
const KEYS_MAX = 8;

type Keys = AnswerOf<typeof replaceDataKey>;

/** Lets operators replace the key that a tenant's values are sealed under, and see how far it is. */
@Injectable()
export class PlatformDataKeysService {
  constructor(
    @Inject(OPERATOR_DATABASE) private readonly database: Database,
    @Inject(VAULT) private readonly vault: TenantVault,
    @Inject(PlatformTenantsService) private readonly tenants: PlatformTenantsService,
    @Inject(PlatformTenantsRepository) private readonly tenantRows: PlatformTenantsRepository,
    @Inject(PlatformDataKeysRepository) private readonly keys: PlatformDataKeysRepository,
  ) {}

  /** @throws AppError `not_found` */
  async show(caller: OperatorCaller, slug: string): Promise<Keys> {
    const { id: tenantId } = await this.tenants.get(slug);
    const look = lookOf(caller, 'data_keys.show', tenantId);
    return this.database.asOperator(look, async (tx) => {
      await this.tenants.noteLook(tx, caller, look);
      await this.tenantRows.enter(tx, tenantId);
      return this.#shown(tx, tenantId);
    });
  }

  /** @throws AppError `not_found`, or `conflict` where the tenant's keys were shredded or it has too many */
  async replace(caller: OperatorCaller, slug: string, reason: string): Promise<Keys> {
    const { id: tenantId } = await this.tenants.get(slug);
    const act = actOf(caller, { action: 'data_keys.replace', reason, tenantId });
    return this.database.asOperator(act, async (tx) => {
      await this.tenantRows.enter(tx, tenantId);
      await this.tenantRows.lock(tx, tenantId);
      if ((await this.keys.list(tx, tenantId)).length >= KEYS_MAX)
        throw new AppError('conflict', {
          message: `The tenant has ${KEYS_MAX} data keys; wait until older ones are deleted.`,
        });
      if (!(await this.vault.replaceKey(tx, tenantId)))
        throw new AppError('conflict', { message: 'The tenant’s keys were shredded; nothing is sealed for it again.' });
      const details = { reason };
      const entry = { event: 'tenant.data_key_replaced', target: `tenant:${tenantId}`, details } as const;
      await appendAudit(tx, tenantId, [doneBy(caller, entry)]);
      return this.#shown(tx, tenantId);
    });
  }

  async #shown(tx: Transaction, tenantId: string): Promise<Keys> {
    const uses = await this.keys.countUses(tx, tenantId);
    const rows = await this.keys.list(tx, tenantId);
    return {
      data_keys: rows.map((row, index) => {
        const own = uses.filter(({ dataKeyId }) => dataKeyId === row.id);
        const older = row.unused_at === null ? 'opening' : 'unused';
        return {
          id: row.id,
          state: index === 0 ? 'sealing' : older,
          rows_left: own.reduce((sum, use) => sum + use.rows, 0),
          rows: Object.fromEntries(own.map((use) => [use.table, use.rows])),
          created_at: row.created_at.toISOString(),
          unused_at: row.unused_at?.toISOString() ?? null,
        };
      }),
    };
  }
}
