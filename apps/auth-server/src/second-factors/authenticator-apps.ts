import type { Secret } from '#libs/config';
import type { Database } from '#libs/database';
import { codeSetUp, newCodeSecret, stepOfCode } from '#libs/identity';
import { masterKeyId, openWithMaster, sealWithMaster } from '#libs/secrets';
import type { Account } from '../accounts/accounts.js';
import type { Noting } from './noting.js';

interface TotpRow {
  readonly sealed: Buffer;
  readonly confirmed: boolean;
}

/** Codes of authenticator apps (TOTP, RFC 6238). States: begun, when its secret was shown → confirmed, by a first code. */
export class AuthenticatorApps {
  constructor(
    private readonly database: Database,
    private readonly masterKey: Secret,
  ) {}

  /** Whether a person's app was confirmed. */
  async isEnrolled(accountId: string): Promise<boolean> {
    return (await this.#find(accountId))?.confirmed === true;
  }

  /** What an app scans (`otpauth://…`), the same until it is confirmed; undefined where one is confirmed already. */
  async begin({ id, email }: Account): Promise<{ readonly uri: string; readonly secret: string } | undefined> {
    const fresh = sealWithMaster(this.masterKey, purposeOf(id), newCodeSecret());
    await this.database.asService((tx) =>
      tx.query(
        `insert into account_totp (account_id, sealed, root_key_id) values ($1, $2, $3)
         on conflict (account_id) do nothing`,
        [id, fresh, masterKeyId(this.masterKey)],
      ),
    );
    const row = await this.#find(id);
    if (row === undefined || row.confirmed) return undefined;
    return codeSetUp(this.#open(id, row.sealed), email);
  }

  /** Confirms an app by its first code; false where the code is wrong or nothing was begun. */
  async confirm({ id }: Account, code: string, note?: Noting): Promise<boolean> {
    return this.#take(id, code, 'begun', note);
  }

  /** Accepts the code of a confirmed app; each step's code once (RFC 6238 §5.2). */
  async accept(accountId: string, code: string): Promise<boolean> {
    return this.#take(accountId, code, 'confirmed');
  }

  /** Forgets a person's app; false where there is none. */
  async remove(accountId: string, note?: Noting): Promise<boolean> {
    return this.database.asService(async (tx) => {
      const [, count]: [unknown[], number] = await tx.query(`delete from account_totp where account_id = $1`, [
        accountId,
      ]);
      if (count > 0) await note?.(tx);
      return count > 0;
    });
  }

  async #take(accountId: string, code: string, state: 'begun' | 'confirmed', note?: Noting): Promise<boolean> {
    const row = await this.#find(accountId);
    if (row === undefined || row.confirmed !== (state === 'confirmed')) return false;
    const step = stepOfCode(this.#open(accountId, row.sealed), code);
    if (step === undefined) return false;
    return this.database.asService(async (tx) => {
      const [, count]: [unknown[], number] = await tx.query(
        `update account_totp set last_step = $2, confirmed_at = coalesce(confirmed_at, now())
         where account_id = $1 and last_step < $2`,
        [accountId, step],
      );
      if (count === 1) await note?.(tx);
      return count === 1;
    });
  }

  async #find(accountId: string): Promise<TotpRow | undefined> {
    const rows: TotpRow[] = await this.database.asService((tx) =>
      tx.query(`select sealed, confirmed_at is not null as confirmed from account_totp where account_id = $1`, [
        accountId,
      ]),
    );
    return rows[0];
  }

  #open(accountId: string, sealed: Buffer): Uint8Array {
    return openWithMaster(this.masterKey, purposeOf(accountId), sealed);
  }
}

function purposeOf(accountId: string): string {
  return `totp:${accountId}`;
}
