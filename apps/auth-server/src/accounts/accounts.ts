import { hash, verify } from '@node-rs/argon2';
import type { Database } from '#libs/database';
import { AppError } from '#libs/errors';
import { Slots } from '#libs/resilience';

/** Each takes 19 MiB and some 20 ms of a core. */
const COMPARISONS_MAX = 32;

/** A person who can sign in. */
export interface Account {
  readonly id: string;
  readonly email: string;
}

interface AccountRow extends Account {
  readonly password_hash: string;
}

/** The people of the platform; their passwords are argon2id hashes. */
export class Accounts {
  readonly #comparisons = new Slots();
  readonly #hashOfNobody = hash('nobody has this password');

  constructor(private readonly database: Database) {}

  /** The account with an id. */
  async find(id: string): Promise<Account | undefined> {
    const rows: Account[] = await this.database.asService((tx) =>
      tx.query(
        `select id, coalesce(email, asserted_email, 'somebody without an e-mail address') as email
         from accounts where id = $1`,
        [id],
      ),
    );
    return rows[0];
  }

  /**
   * The account whose e-mail and password these are; an unknown e-mail takes as long as a wrong password.
   * @throws AppError `unavailable` when too many are being compared
   */
  async verifyPassword(email: string, password: string): Promise<Account | undefined> {
    const rows: AccountRow[] = await this.database.asService((tx) =>
      tx.query(`select id, email, password_hash from accounts where email = $1`, [email]),
    );
    const row = rows[0];
    const matches = await this.#matches(row?.password_hash ?? (await this.#hashOfNobody), password);
    return row !== undefined && matches ? { id: row.id, email: row.email } : undefined;
  }

  async #matches(passwordHash: string, password: string): Promise<boolean> {
    const release = this.#comparisons.take('passwords', COMPARISONS_MAX);
    if (release === undefined) throw new AppError('unavailable', { retryAfterSeconds: 5 });
    try {
      return await verify(passwordHash, password);
    } finally {
      release();
    }
  }
}
