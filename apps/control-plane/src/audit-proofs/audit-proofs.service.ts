import { Inject, Injectable } from '@nestjs/common';
import {
  appendAudit,
  checkpointOrigin,
  consistencyOf,
  inclusionOf,
  MerkleTree,
  tileReader,
  verifierKey,
} from '#libs/audit';
import type { Database, Transaction } from '#libs/database';
import { AppError } from '#libs/errors';
import { doneBy, type TenantCaller } from '../access/caller.js';
import type { ControlPlaneConfig } from '../config.js';
import type { AnswerOf, InputOf } from '../contract/contract.js';
import { pageOf } from '../paging/cursor.js';
import { CONFIG, TENANT_DATABASE } from '../platform/tokens.js';
import { notCoveredYet, outside, requireReached, requireSizes, type AskedSize } from './sizes.js';
import { AuditProofsRepository } from './audit-proofs.repository.js';
import type { listCheckpoints, listKeys, proveConsistency, proveInclusion } from './audit-proofs.schema.js';

/** Proves what a tenant's audit log says of itself. */
@Injectable()
export class AuditProofsService {
  constructor(
    @Inject(TENANT_DATABASE) private readonly database: Database,
    @Inject(CONFIG) private readonly config: ControlPlaneConfig,
    @Inject(AuditProofsRepository) private readonly proofs: AuditProofsRepository,
  ) {}

  async listCheckpoints(
    { tenantId }: TenantCaller,
    { cursor, limit }: InputOf<typeof listCheckpoints>['query'],
  ): Promise<AnswerOf<typeof listCheckpoints>> {
    const rows = await this.database.asTenant(tenantId, (tx) =>
      this.proofs.listCheckpoints(tx, tenantId, cursor, limit + 1),
    );
    const page = pageOf(rows, limit);
    const checkpoints = page.rows.map(({ size, root, note, created_at: at }) => ({
      size,
      root: root.toString('base64'),
      note,
      created_at: at.toISOString(),
    }));
    return { checkpoints, next_cursor: page.next };
  }

  async listKeys({ tenantId }: TenantCaller): Promise<AnswerOf<typeof listKeys>> {
    const origin = checkpointOrigin(new URL(this.config.WHARF_PUBLIC_URL), tenantId);
    const rows = await this.database.asTenant(tenantId, (tx) => this.proofs.listKeys(tx));
    const keys = rows.map((row) => ({
      verifier_key: verifierKey(origin, row.public_key),
      created_at: row.created_at.toISOString(),
    }));
    return { keys };
  }

  /** @throws AppError `not_found`, `conflict` while no checkpoint covers the record, `invalid_request` for a size the log never had */
  async proveInclusion(
    { tenantId }: TenantCaller,
    id: string,
    size: number | undefined,
  ): Promise<AnswerOf<typeof proveInclusion>> {
    return this.database.asTenant(tenantId, async (tx) => {
      const leaf = await this.proofs.findLeaf(tx, tenantId, id);
      if (leaf === undefined) throw new AppError('not_found');
      const [newest] = await this.proofs.listCheckpoints(tx, tenantId, undefined, 1);
      const of = size ?? newest?.size ?? 0;
      if (leaf === null || (size === undefined && leaf >= of)) throw notCoveredYet();
      const tree = await this.#tree(tx, tenantId, { size: of });
      if (leaf >= of)
        throw outside('size', `Record ${id} is number ${leaf}: the log had it only from size ${leaf + 1}.`);
      return inclusionOf(tree, leaf);
    });
  }

  /** @throws AppError `invalid_request` for sizes that the log never had */
  async proveConsistency(
    { tenantId }: TenantCaller,
    { from, to }: InputOf<typeof proveConsistency>['query'],
  ): Promise<AnswerOf<typeof proveConsistency>> {
    requireSizes(from, to);
    return this.database.asTenant(tenantId, async (tx) => consistencyOf(await this.#tree(tx, tenantId, { to }), from));
  }

  /** @throws AppError `not_found` when the log holds nothing about this person, `conflict` while a legal hold keeps it */
  async erasePerson(caller: TenantCaller, personId: string): Promise<void> {
    const { tenantId } = caller;
    await this.database.asTenant(tenantId, async (tx) => {
      if (await this.proofs.isHeld(tx, tenantId)) throw notNow();
      if (!(await this.proofs.shredPerson(tx, tenantId, personId))) throw new AppError('not_found');
      await appendAudit(tx, tenantId, [doneBy(caller, { event: 'person.erased', target: `account:${personId}` })]);
    });
  }

  async #tree(tx: Transaction, tenantId: string, asked: AskedSize): Promise<MerkleTree> {
    const size = requireReached(asked, await this.proofs.treeSize(tx, tenantId));
    return new MerkleTree(size, tileReader(tx, tenantId));
  }
}

/** The tenant may not be allowed to know of a hold, so it is not named. */
function notNow(): AppError {
  return new AppError('conflict', {
    message: 'Nothing of this log can be erased at the moment. Ask the operator of the platform when it can be.',
  });
}
