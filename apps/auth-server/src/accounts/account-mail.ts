import type { Secret } from '#libs/config';
import type { Database, Transaction } from '#libs/database';
import { findToken, letterOf, queueLink, queueMail, redeemToken, type LetterKind, type TokenPurpose } from '#libs/mail';
import type { Language } from '#libs/pages';
import type { AttemptCounter } from '../limits/attempt-counter.js';
import type { AccountAudit } from './account-audit.js';
import type { AccountEntry } from './account-events.repository.js';
import type { Account, Accounts } from './accounts.js';

const HOUR = 60 * 60;
/** Mails that one account is sent in an hour, and that one address asks for. */
const MAILS = { perAccount: 5, perAddress: 30 } as const;
const NOTICE_SECONDS = 24 * HOUR;

/** What mails to people rest on. */
export interface AccountMailParts {
  readonly database: Database;
  readonly masterKey: Secret;
  readonly accounts: Accounts;
  readonly attempts: AttemptCounter;
  readonly audit: AccountAudit;
  readonly issuer: string;
}

/** Somebody who asks for a link, in their language. */
export interface LinkRequest {
  readonly email: string;
  readonly address: string;
  readonly language: Language;
}

/** Links by mail: to prove an address, and to get back in without a password. Nothing is sent within a request. */
export class AccountMail {
  constructor(private readonly parts: AccountMailParts) {}

  /**
   * Queues the mail with a link. Whether there is an account, the same is counted, written and answered; returns the
   * seconds to wait where one address asks too often, else 0. Beyond an account's share nothing is sent.
   */
  async request(purpose: TokenPurpose, { email, address, language }: LinkRequest): Promise<number> {
    const { attempts, accounts, database, masterKey, issuer } = this.parts;
    const wait = await attempts.take({
      key: `mail-address|${address}`,
      max: MAILS.perAddress,
      windowSeconds: HOUR,
    });
    if (wait > 0) return wait;
    const used = await attempts.take({ key: `mail|${email}`, max: MAILS.perAccount, windowSeconds: HOUR });
    const found = await accounts.findByEmail(email);
    const wanted = used === 0 && found !== undefined && !(purpose === 'verify_email' && found.emailVerified);
    const account = wanted ? found : undefined;
    await database.asService((tx) => queueLink(tx, masterKey, purpose, { account, language, issuer }));
    return 0;
  }

  /** Tells a person what was changed about their account, in the transaction that changes it; what a provider calls their address is proof of nothing. */
  async notify(tx: Transaction, account: Account, kind: LetterKind, language: Language): Promise<void> {
    if (account.federated) return;
    const { masterKey, issuer } = this.parts;
    const page = kind === 'passwordChanged' ? 'account/forgot' : 'account';
    const letter = letterOf(kind, language, `${issuer.replace(/\/$/, '')}/${page}`);
    const mail = { to: account.email, accountId: account.id, ...letter, usefulSeconds: NOTICE_SECONDS };
    await queueMail(tx, masterKey, mail);
  }

  /** Whose living link this is, for the page that uses it up when its button is pressed. */
  async find(purpose: TokenPurpose, token: string): Promise<Account | undefined> {
    const id = await this.parts.database.asService((tx) => findToken(tx, token, purpose));
    return id === undefined ? undefined : this.parts.accounts.find(id);
  }

  /** Uses up a link that proves an address; false where it has none left. */
  async verifyEmail(token: string, address: string): Promise<boolean> {
    const { database, accounts, audit } = this.parts;
    const kept = await database.asService(async (tx) => {
      const id = await redeemToken(tx, token, 'verify_email');
      if (id === undefined) return undefined;
      await accounts.markVerified(tx, id);
      return audit.keep(tx, id, address, { event: 'account.email_verified', outcome: 'ok' });
    });
    if (kept === undefined) return false;
    await audit.tellSoon(kept);
    return true;
  }

  /** Uses up a link for a new password, which proves the address too, and ends every browser session. */
  async resetPassword(token: string, password: string, { address, language }: LinkRequest): Promise<boolean> {
    const { database, accounts, audit } = this.parts;
    const passwordHash = await accounts.hashPassword(password);
    const account = await this.find('reset_password', token);
    const kept = await database.asService(async (tx) => {
      const id = await redeemToken(tx, token, 'reset_password');
      if (id === undefined || id !== account?.id) return undefined;
      await accounts.replacePassword(tx, id, passwordHash);
      await accounts.markVerified(tx, id);
      await this.notify(tx, account, 'passwordChanged', language);
      return audit.keep(tx, id, address, passwordChanged('mail'));
    });
    if (kept === undefined) return false;
    await audit.tellSoon(kept);
    return true;
  }

  /** Gives a signed-in person, who has just proved the old password, another one; every browser session ends. */
  async changePassword(account: Account, password: string, { address, language }: LinkRequest): Promise<void> {
    const { database, accounts, audit } = this.parts;
    const passwordHash = await accounts.hashPassword(password);
    const kept = await database.asService(async (tx) => {
      await accounts.replacePassword(tx, account.id, passwordHash);
      await this.notify(tx, account, 'passwordChanged', language);
      return audit.keep(tx, account.id, address, passwordChanged('password'));
    });
    await audit.tellSoon(kept);
  }
}

function passwordChanged(by: 'mail' | 'password'): AccountEntry {
  return { event: 'account.password_changed', outcome: 'ok', details: { by } };
}
