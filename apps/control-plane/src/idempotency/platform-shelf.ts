import type { Secret } from '#libs/config';
import type { Database } from '#libs/database';
import { masterKeyId, openWithMaster, sealWithMaster } from '#libs/secrets';
import type { NamedRequest } from './idempotency-key.js';
import type { AnswerShelf, KeptRow } from './kept-answers.js';

/** Takes a free name, or one whose time is over. */
const CLAIM = `
insert into platform_idempotency_keys (key_hash, request_hash, expires_at)
values ($1, $2, now() + interval '24 hours')
on conflict (key_hash) do update set request_hash = excluded.request_hash, answer = null,
  created_at = now(), expires_at = excluded.expires_at where platform_idempotency_keys.expires_at < now()
returning 1`;

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
      const claimed: unknown[] = await tx.query(CLAIM, [keyHash, requestHash]);
      if (claimed.length > 0) return undefined;
      const [row]: Row[] = await tx.query(
        `select request_hash, answer from platform_idempotency_keys where key_hash = $1`,
        [keyHash],
      );
      // Whoever had it was refused this very moment.
      if (row === undefined) return { requestHash, answer: undefined };
      const answer = row.answer === null ? undefined : this.#open(keyHash, row.answer);
      return { requestHash: row.request_hash, answer };
    });
  }

  async keep({ keyHash }: NamedRequest, answer: string): Promise<void> {
    const sealed = sealWithMaster(this.masterKey, purposeOf(keyHash), Buffer.from(answer));
    await this.database.asService((tx) =>
      tx.query(`update platform_idempotency_keys set answer = $2, root_key_id = $3 where key_hash = $1`, [
        keyHash,
        sealed,
        masterKeyId(this.masterKey),
      ]),
    );
  }

  async release({ keyHash }: NamedRequest): Promise<void> {
    await this.database.asService((tx) =>
      tx.query(`delete from platform_idempotency_keys where key_hash = $1 and answer is null`, [keyHash]),
    );
  }

  #open(keyHash: string, sealed: Buffer): string {
    return openWithMaster(this.masterKey, purposeOf(keyHash), sealed).toString();
  }
}

function purposeOf(keyHash: string): string {
  return `idempotency:${keyHash}`;
}
