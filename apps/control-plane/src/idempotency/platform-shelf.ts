import type { Secret } from '#libs/config';
import type { Database } from '#libs/database';
import { openWithMaster, sealWithMaster } from '#libs/secrets';
import type { NamedRequest } from './idempotency-key.js';
import { claimRow, type AnswerShelf, type KeptRow } from './kept-answers.js';

const TABLE = 'platform_idempotency_keys';

interface Row {
  readonly request_hash: string;
  readonly answer: Buffer | null;
}

/** The named requests of callers who belong to no tenant: operators, and who signs up. */
export class PlatformShelf implements AnswerShelf {
  constructor(
    private readonly database: Database,
    private readonly masterKey: Secret,
  ) {}

  claim({ keyHash, requestHash }: NamedRequest): Promise<KeptRow | undefined> {
    return this.database.asService(async (tx) => {
      const row = await claimRow<Row>(tx, {
        table: TABLE,
        key: ['key_hash'],
        values: { key_hash: keyHash, request_hash: requestHash },
        columns: 'request_hash, answer',
      });
      if (row === undefined) return undefined;
      const answer = row.answer === null ? undefined : this.#open(keyHash, row.answer);
      return { requestHash: row.request_hash, answer };
    });
  }

  async keep({ keyHash }: NamedRequest, answer: string): Promise<void> {
    const sealed = sealWithMaster(this.masterKey, purposeOf(keyHash), Buffer.from(answer));
    await this.database.asService((tx) =>
      tx.query(`update ${TABLE} set answer = $2 where key_hash = $1`, [keyHash, sealed]),
    );
  }

  async release({ keyHash }: NamedRequest): Promise<void> {
    await this.database.asService((tx) =>
      tx.query(`delete from ${TABLE} where key_hash = $1 and answer is null`, [keyHash]),
    );
  }

  #open(keyHash: string, sealed: Buffer): string {
    return openWithMaster(this.masterKey, purposeOf(keyHash), sealed).toString();
  }
}

function purposeOf(keyHash: string): string {
  return `idempotency:${keyHash}`;
}
