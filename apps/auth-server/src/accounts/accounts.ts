import { hash, verify, type Options } from '@node-rs/argon2';
import type { Database, Transaction } from '#libs/database';
import { AppError } from '#libs/errors';
import { isNobodysAddress } from '#libs/mail';
import { Slots } from '#libs/resilience';

/** Each takes 19 MiB and some 20 ms of a core. */
const COMPARISONS_MAX = 32;
/** The package's number for argon2id: its enum exists for the compiler only. */
const ARGON2ID = 2;
/** Parameters of the OWASP password storage cheat sheet. */
const PARAMETERS: Options = { algorithm: ARGON2ID, memoryCost: 19_456, timeCost: 2, parallelism: 1 };

/** How long a password may be, in characters. */
const PASSWORD_LENGTH = { min: 12, max: 128 } as const;

/** A person who can sign in. */
export interface Account {
  readonly id: string;
  readonly email: string;
  /** Whether they have proved that the address is theirs. */
  readonly emailVerified: boolean;
  /** Whether a tenant's own provider signs them in: then the e-mail is only shown, and there is no password. */
  readonly federated: boolean;
}

interface AccountRow extends Account {
  /** Null where there is no password. */
  readonly passwordHash: string | null;
}

const COLUMNS = `id, coalesce(email, asserted_email, 'somebody without an e-mail address') as email,
  home_tenant_id is not null as federated, email_verified_at is not null as "emailVerified", password_hash as "passwordHash"`;

/** The people of the platform; their passwords are argon2id hashes. */
export class Accounts {
  readonly #comparisons = new Slots();
  readonly #hashOfNobody = hash('nobody has this password', PARAMETERS);

  constructor(private readonly database: Database) {}

  /** The account with an id. */
  async find(id: string): Promise<Account | undefined> {
    return accountOf(await this.#row('id', id));
  }

  /** The account with an e-mail. */
  async findByEmail(email: string): Promise<Account | undefined> {
    return accountOf(await this.#row('email', email));
  }

  /**
   * The account whose e-mail and password these are; an unknown e-mail takes as long as a wrong password.
   * @throws AppError `unavailable` when too many are being compared
   */
  async verifyPassword(email: string, password: string): Promise<Account | undefined> {
    const row = await this.#row('email', email);
    const passwordHash = row?.passwordHash ?? (await this.#hashOfNobody);
    const matches = await this.#inTurn(() => verify(passwordHash, password));
    return matches ? accountOf(row) : undefined;
  }

  /** The hash of a new password. @throws AppError `unavailable` when too many are being made */
  async hashPassword(password: string): Promise<string> {
    return this.#inTurn(() => hash(password, PARAMETERS));
  }

  /** Gives an account another password and ends all its browser sessions, in the caller's transaction. */
  async replacePassword(tx: Transaction, id: string, passwordHash: string): Promise<void> {
    // By the clock that sessions are stamped with, so that one opened right after is later.
    await tx.query(`update accounts set password_hash = $2, sessions_ended_at = to_timestamp($3) where id = $1`, [
      id,
      passwordHash,
      Date.now() / 1_000,
    ]);
    await tx.query(`delete from oauth_artifacts where model = 'Session' and account_id = $1`, [id]);
    await tx.query(`delete from account_tokens where account_id = $1 and purpose = 'reset_password'`, [id]);
  }

  /** Notes that the address is the person's own. */
  async markVerified(tx: Transaction, id: string): Promise<void> {
    await tx.query(`update accounts set email_verified_at = now() where id = $1 and email_verified_at is null`, [id]);
  }

  async #row(column: 'id' | 'email', value: string): Promise<AccountRow | undefined> {
    if (column === 'email' && isNobodysAddress(value)) return undefined;
    const rows: AccountRow[] = await this.database.asService((tx) =>
      tx.query(`select ${COLUMNS} from accounts where ${column} = $1`, [value]),
    );
    return rows[0];
  }

  async #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const release = this.#comparisons.take('passwords', COMPARISONS_MAX);
    if (release === undefined) throw new AppError('unavailable', { retryAfterSeconds: 5 });
    try {
      return await work();
    } finally {
      release();
    }
  }
}

function accountOf(row: AccountRow | undefined): Account | undefined {
  return row && { id: row.id, email: row.email, emailVerified: row.emailVerified, federated: row.federated };
}

/** Whether a text can be a password. */
export function isPassword(text: string): boolean {
  return text.length >= PASSWORD_LENGTH.min && text.length <= PASSWORD_LENGTH.max;
}
