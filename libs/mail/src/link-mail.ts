import type { Secret } from '#libs/config';
import type { Transaction } from '#libs/database';
import type { Language } from '#libs/pages';
import { issueToken, TOKEN_SECONDS, type TokenPurpose } from './account-tokens.js';
import { letterOf } from './letters.js';
import { queueMail } from './mail-outbox.js';

const PAGES = { verify_email: 'verify', reset_password: 'reset' } as const;
const LETTERS = { verify_email: 'verifyEmail', reset_password: 'resetPassword' } as const;

/** Who gets a link; nobody where the address is unknown, which costs the same work. */
export interface LinkRecipient {
  readonly account: { readonly id: string; readonly email: string } | undefined;
  readonly language: Language;
  /** The authorization server, whose page the link opens. */
  readonly issuer: string;
}

/** Issues the token of a link and queues the mail that carries it, in the caller's transaction. */
export async function queueLink(
  tx: Transaction,
  masterKey: Secret,
  purpose: TokenPurpose,
  { account, language, issuer }: LinkRecipient,
): Promise<void> {
  const token = await issueToken(tx, account?.id, purpose);
  const link = `${issuer.replace(/\/$/, '')}/account/${PAGES[purpose]}?token=${token}`;
  const letter = letterOf(LETTERS[purpose], language, link);
  const whose = { to: account?.email, accountId: account?.id };
  await queueMail(tx, masterKey, { ...whose, ...letter, usefulSeconds: TOKEN_SECONDS[purpose] });
}
