import { createHmac, randomInt } from 'node:crypto';
import type { Secret } from '#libs/config';
import type { Database } from '#libs/database';
import { deriveLasting } from '#libs/secrets';
import type { Noting } from './noting.js';

const CODES = 10;
const CHARACTERS = 10;
/** Without what is easily mistaken for something else. */
const ALPHABET = 'abcdefghjkmnpqrstuvwxyz23456789';

/** Codes for the day the phone is lost: ten at a time, each good once, stored as keyed hashes. */
export class RecoveryCodes {
  readonly #key: Buffer;

  constructor(
    private readonly database: Database,
    masterKey: Secret,
  ) {
    this.#key = deriveLasting(masterKey, 'recovery-codes');
  }

  /** Makes ten new codes in place of what is left of the old ones. They are shown this once. */
  async renew(accountId: string, note?: Noting): Promise<readonly string[]> {
    const codes = Array.from({ length: CODES }, newCode);
    const hashes = codes.map((code) => this.#hashOf(accountId, code));
    await this.database.asService(async (tx) => {
      await tx.query(`delete from recovery_codes where account_id = $1`, [accountId]);
      await tx.query(`insert into recovery_codes (account_id, code_hash) select $1, unnest($2::text[])`, [
        accountId,
        hashes,
      ]);
      await note?.(tx);
    });
    return codes;
  }

  /** How many are left. */
  async count(accountId: string): Promise<number> {
    const rows: Array<{ count: number }> = await this.database.asService((tx) =>
      tx.query(`select count(*)::int as count from recovery_codes where account_id = $1`, [accountId]),
    );
    return rows[0]?.count ?? 0;
  }

  /** Uses a code up; false where it is none of this person's. */
  async accept(accountId: string, code: string): Promise<boolean> {
    const [, count] = await this.database.asService((tx) =>
      tx.query(`delete from recovery_codes where account_id = $1 and code_hash = $2`, [
        accountId,
        this.#hashOf(accountId, code),
      ]),
    );
    return count === 1;
  }

  /** Forgets what is left, when nothing needs them any more. */
  async clear(accountId: string): Promise<void> {
    await this.database.asService((tx) => tx.query(`delete from recovery_codes where account_id = $1`, [accountId]));
  }

  #hashOf(accountId: string, code: string): string {
    const plain = code.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
    return createHmac('sha256', this.#key).update(`${accountId}|${plain}`).digest('hex');
  }
}

function newCode(): string {
  const text = Array.from({ length: CHARACTERS }, () => ALPHABET[randomInt(ALPHABET.length)]).join('');
  return `${text.slice(0, CHARACTERS / 2)}-${text.slice(CHARACTERS / 2)}`;
}
