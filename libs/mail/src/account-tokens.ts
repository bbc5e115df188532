import { createHash, randomBytes } from 'node:crypto';
import type { Transaction } from '#libs/database';

/** What a link in a mail is good for. */
export type TokenPurpose = 'verify_email' | 'reset_password';

/** How long a link works. */
export const TOKEN_SECONDS: Readonly<Record<TokenPurpose, number>> = {
  verify_email: 24 * 60 * 60,
  reset_password: 30 * 60,
};

/** Makes the token of a link; only its hash is stored. Without an account the token is worth nothing. */
export async function issueToken(
  tx: Transaction,
  accountId: string | undefined,
  purpose: TokenPurpose,
): Promise<string> {
  const token = randomBytes(32).toString('base64url');
  // The same statement for nobody: an answer takes as long for an unknown address.
  await tx.query(
    `insert into account_tokens (token_hash, account_id, purpose, expires_at)
     select $1, $2::uuid, $3, now() + make_interval(secs => $4) where $2::uuid is not null`,
    [hashOf(token), accountId ?? null, purpose, TOKEN_SECONDS[purpose]],
  );
  return token;
}

/** Whose living token this is, without using it up. */
export async function findToken(tx: Transaction, token: string, purpose: TokenPurpose): Promise<string | undefined> {
  const rows: Array<{ accountId: string }> = await tx.query(
    `select account_id as "accountId" from account_tokens
     where token_hash = $1 and purpose = $2 and expires_at > now()`,
    [hashOf(token), purpose],
  );
  return rows[0]?.accountId;
}

/** Uses a token up, and with it every other of its account for the same purpose; whose it was. Works once. */
export async function redeemToken(tx: Transaction, token: string, purpose: TokenPurpose): Promise<string | undefined> {
  const [rows]: [Array<{ accountId: string }>, number] = await tx.query(
    `delete from account_tokens where token_hash = $1 and purpose = $2 and expires_at > now()
     returning account_id as "accountId"`,
    [hashOf(token), purpose],
  );
  const accountId = rows[0]?.accountId;
  if (accountId === undefined) return undefined;
  await tx.query(`delete from account_tokens where account_id = $1 and purpose = $2`, [accountId, purpose]);
  return accountId;
}

/** Deletes up to `max` tokens whose time is over; returns how many. */
export async function deleteExpiredTokens(tx: Transaction, max: number): Promise<number> {
  const [, count] = await tx.query(
    `delete from account_tokens where token_hash in
       (select token_hash from account_tokens where expires_at < now() limit $1)`,
    [max],
  );
  return count;
}

function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}
