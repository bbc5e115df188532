import type { Database } from '#libs/database';
import type { TenantVault } from '#libs/secrets';
import type { NamedRequest } from './idempotency-key.js';
import type { AnswerShelf, KeptRow } from './kept-answers.js';

/** Takes a free name, or one whose time is over. */
const CLAIM = `
insert into idempotency_keys (tenant_id, key_hash, request_hash, expires_at)
values ($1, $2, $3, now() + interval '24 hours')
on conflict (tenant_id, key_hash) do update set request_hash = excluded.request_hash, answer = null,
  created_at = now(), expires_at = excluded.expires_at where idempotency_keys.expires_at < now()
returning 1`;

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
      const claimed: unknown[] = await tx.query(CLAIM, [tenantId, keyHash, requestHash]);
      if (claimed.length > 0) return undefined;
      const [row]: Row[] = await tx.query(
        `select request_hash, data_key_id, answer from idempotency_keys where tenant_id = $1 and key_hash = $2`,
        [tenantId, keyHash],
      );
      // Whoever had it was refused this very moment.
      if (row === undefined) return { requestHash, answer: undefined };
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
      await tx.query(
        `update idempotency_keys set data_key_id = $3, answer = $4 where tenant_id = $1 and key_hash = $2`,
        [tenantId, keyHash, sealed.dataKeyId, sealed.ciphertext],
      );
    });
  }

  async release({ keyHash }: NamedRequest): Promise<void> {
    await this.database.asTenant(this.tenantId, (tx) =>
      tx.query(`delete from idempotency_keys where tenant_id = $1 and key_hash = $2 and answer is null`, [
        this.tenantId,
        keyHash,
      ]),
    );
  }
}

function purposeOf(keyHash: string): string {
  return `idempotency:${keyHash}`;
}
