import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Secret } from '#libs/config';
import { BatchSweep, type Database } from '#libs/database';
import type { Logger } from '#libs/telemetry';
import { deleteExpiredTokens } from '#libs/mail';
import { deriveKeys } from '#libs/secrets';

const LIFE_SECONDS = 15 * 60;
const SWEEP_MS = 10 * 60 * 1_000;

/**
 * Challenges for passkeys. One says itself until when and for what it is good, so that showing a page writes nothing;
 * only that it was answered is written down, so that it is answered once.
 */
export class PasskeyChallenges {
  /** The one that makes challenges first. */
  readonly #keys: readonly Buffer[];

  constructor(
    private readonly database: Database,
    masterKey: Secret,
  ) {
    this.#keys = deriveKeys(masterKey, 'passkey-challenges');
  }

  /** A challenge for whatever it is bound to: a step of one browser. */
  issue(bound: string): string {
    const head = `${nowSeconds() + LIFE_SECONDS}.${randomBytes(16).toString('base64url')}`;
    return `${head}.${this.#macsOf(head, bound)[0] ?? ''}`;
  }

  /** Uses up a challenge, as the browser says it back in base64url; false where it is not ours, late, or was used. */
  async accept(encoded: string, bound: string): Promise<boolean> {
    const challenge = Buffer.from(encoded, 'base64url').toString();
    const [expiry = '', random = '', mac = ''] = challenge.split('.');
    const given = Buffer.from(mac);
    const isOurs = this.#macsOf(`${expiry}.${random}`, bound).some((expected) => {
      const bytes = Buffer.from(expected);
      return given.length === bytes.length && timingSafeEqual(given, bytes);
    });
    if (!isOurs) return false;
    if (Number(expiry) < nowSeconds()) return false;
    const rows: unknown[] = await this.database.asService((tx) =>
      tx.query(
        `insert into used_challenges (challenge_hash, expires_at) values ($1, to_timestamp($2))
         on conflict (challenge_hash) do nothing returning 1`,
        [createHash('sha256').update(challenge).digest('hex'), Number(expiry)],
      ),
    );
    return rows.length === 1;
  }

  #macsOf(head: string, bound: string): string[] {
    return this.#keys.map((key) => createHmac('sha256', key).update(`${head}|${bound}`).digest('base64url'));
  }
}

/** Deletes used challenges and links whose time is over, now and every ten minutes. */
export function peopleSweep(database: Database, logger: Logger): BatchSweep {
  return new BatchSweep({
    everyMs: SWEEP_MS,
    async deleteBatch(limit) {
      const [, challenges] = await database.asService((tx) =>
        tx.query(
          `delete from used_challenges where challenge_hash in
             (select challenge_hash from used_challenges where expires_at < now() limit $1)`,
          [limit],
        ),
      );
      const tokens = await database.asService((tx) => deleteExpiredTokens(tx, limit));
      return Math.max(challenges, tokens);
    },
    onSwept: (deleted) => logger.info({ deleted }, 'expired links and challenges deleted'),
    onFailed: (error) => logger.warn({ err: error }, 'expired links and challenges could not be deleted'),
  });
}

function nowSeconds(): number {
  return Math.floor(Date.now() / 1_000);
}
