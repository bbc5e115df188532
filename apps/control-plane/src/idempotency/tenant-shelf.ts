import type { Database } from '#libs/database';
import type { TenantVault } from '#libs/secrets';
import type { NamedRequest } from './idempotency-key.js';
import { claimRow, type AnswerShelf, type KeptRow } from './kept-answers.js';

const TABLE = 'idempotency_keys';

interface Row {
  readonly request_hash: string;
  readonly data_key_id: string | null;
  readonly answer: Buffer | null;
}

/** The named requests of one tenant's callers. Answers hold secrets that are shown once: they lie sealed with its key. */
export class TenantShelf implements AnswerShelf {
  constructor(
    private readonly database: Database,
    private readonly vault: TenantVault,
    private readonly tenantId: string,
  ) {}

  claim({ keyHash, requestHash }: NamedRequest): Promise<KeptRow | undefined> {
    const { tenantId } = this;
    return this.database.asTenant(tenantId, async (tx) => {
      const row = await claimRow<Row>(tx, {
        table: TABLE,
        key: ['tenant_id', 'key_hash'],
        values: { tenant_id: tenantId, key_hash: keyHash, request_hash: requestHash },
        columns: 'request_hash, data_key_id, answer',
      });
      if (row === undefined) return undefined;
      if (row.answer === null || row.data_key_id === null) return { requestHash: row.request_hash, answer: undefined };
      const sealed = { dataKeyId: row.data_key_id, ciphertext: row.answer };
      const answer = await this.vault.open(tx, tenantId, purposeOf(keyHash), sealed);
      return { requestHash: row.request_hash, answer };
    });
  }

  async keep({ keyHash }: NamedRequest, answer: string): Promise<void> {
    const { tenantId } = this;
    await this.database.asTenant(tenantId, async (tx) => {
      const sealed = await this.vault.seal(tx, tenantId, purposeOf(keyHash), answer);
      await tx.query(`update ${TABLE} set data_key_id = $3, answer = $4 where tenant_id = $1 and key_hash = $2`, [
        tenantId,
        keyHash,
        sealed.dataKeyId,
        sealed.ciphertext,
      ]);
    });
  }

  async release({ keyHash }: NamedRequest): Promise<void> {
    await this.database.asTenant(this.tenantId, (tx) =>
      tx.query(`delete from ${TABLE} where tenant_id = $1 and key_hash = $2 and answer is null`, [
        this.tenantId,
        keyHash,
      ]),
    );
  }
}

function purposeOf(keyHash: string): string {
  return `idempotency:${keyHash}`;
}
