import type { AccessAudit } from '../access/access-audit.js';
import type { ResourceAccess, Target } from '../access/resource-access.js';
import type { Allowance, AttemptCounter } from '../limits/attempt-counter.js';
import { METHODS, type GivenFactor, type SecondFactors } from '../second-factors/second-factors.js';
import type { AccountAudit } from './account-audit.js';
import type { Account, Accounts } from './accounts.js';

const WINDOW_SECONDS = 15 * 60;
const WIDER = 5;

/** What a sign-in failed at. */
type LoginRule = 'password' | 'second_factor' | 'passkey' | 'too_many_attempts';

/** Who tries, on the way to a target or to a page of their own. */
export interface LoginVisit {
  readonly address: string;
  readonly towards?: { readonly clientId: string; readonly target: Target };
}

/** Somebody's attempt to sign in with a password. */
export interface LoginAttempt extends LoginVisit {
  readonly email: string;
  readonly password: string;
}

/** How an attempt ended. */
export type LoginOutcome =
  /** `methods` are in the words of RFC 8176. */
  | { readonly kind: 'signed-in'; readonly account: Account; readonly methods: readonly string[] }
  /** The password is right, and something more is needed. */
  | { readonly kind: 'second-factor'; readonly account: Account }
  | { readonly kind: 'refused' }
  | { readonly kind: 'limited'; readonly retryAfterSeconds: number };

/** Whether a person knows their password. */
export type PasswordProof =
  | { readonly kind: 'right' | 'wrong' }
  | { readonly kind: 'limited'; readonly retryAfterSeconds: number };

/** What signing in rests on. */
export interface LoginParts {
  readonly accounts: Accounts;
  readonly access: ResourceAccess;
  readonly audit: AccessAudit;
  readonly accountAudit: AccountAudit;
  readonly factors: SecondFactors;
  readonly attempts: AttemptCounter;
  /** Attempts of one address at one account in 15 minutes; a success starts the count anew. */
  readonly attemptsMax: number;
}

/**
 * Checks who somebody is within limits per address and account, and records the outcome at the target's tenant, or
 * of a failure that concerns none, in the platform's log. States: nobody → password right → signed in, or nobody → signed in where a password or passkey is enough.
 */
export class Login {
  constructor(private readonly parts: LoginParts) {}

  /** Checks e-mail and password. */
  async attempt(attempt: LoginAttempt): Promise<LoginOutcome> {
    const allowances = this.#allowances('login', attempt.address, attempt.email);
    const retryAfterSeconds = await this.parts.attempts.take(...allowances);
    if (retryAfterSeconds > 0) return this.#limited(attempt, attempt.email, retryAfterSeconds);
    const account = await this.parts.accounts.verifyPassword(attempt.email, attempt.password);
    if (account === undefined) {
      await this.#recordFailure(attempt, attempt.email, 'password');
      return { kind: 'refused' };
    }
    await this.parts.attempts.forget(...allowances.slice(0, 1));
    if (await this.parts.factors.isNeeded(account.id)) return { kind: 'second-factor', account };
    return this.#signedIn(attempt, account, METHODS.password);
  }

  /** Checks the password of somebody who is signed in, within the same limits. */
  async provePassword(account: Account, password: string, address: string): Promise<PasswordProof> {
    const allowances = this.#allowances('login', address, account.email);
    const retryAfterSeconds = await this.parts.attempts.take(...allowances);
    if (retryAfterSeconds > 0) return { kind: 'limited', retryAfterSeconds };
    const proved = await this.parts.accounts.verifyPassword(account.email, password);
    if (proved?.id !== account.id) return { kind: 'wrong' };
    await this.parts.attempts.forget(...allowances.slice(0, 1));
    return { kind: 'right' };
  }

  /** Checks the second factor of somebody whose password was right. */
  async confirm(visit: LoginVisit, account: Account, given: GivenFactor): Promise<LoginOutcome> {
    const allowances = this.#allowances('factor', visit.address, account.id);
    const retryAfterSeconds = await this.parts.attempts.take(...allowances);
    if (retryAfterSeconds > 0) return this.#limited(visit, account.email, retryAfterSeconds);
    const methods = await this.parts.factors.accept(account.id, given);
    if (methods === undefined) {
      await this.parts.accountAudit.record(account.id, visit.address, {
        event: 'second_factor.failed',
        outcome: 'refused',
      });
      await this.#recordFailure(visit, account.email, 'second_factor');
      return { kind: 'refused' };
    }
    await this.parts.attempts.forget(...allowances);
    return this.#signedIn(visit, account, [...METHODS.password, ...methods]);
  }

  /** Checks a passkey in place of e-mail and password. */
  async attemptPasskey(visit: LoginVisit, { credential, bound }: GivenFactor): Promise<LoginOutcome> {
    const allowances = this.#allowances('passkey', visit.address, '').slice(1, 2);
    const retryAfterSeconds = await this.parts.attempts.take(...allowances);
    if (retryAfterSeconds > 0) return this.#limited(visit, '', retryAfterSeconds);
    const accountId = await this.parts.factors.passkeys.accept(credential, bound);
    const account = accountId === undefined ? undefined : await this.parts.accounts.find(accountId);
    if (account !== undefined) return this.#signedIn(visit, account, METHODS.passkey);
    await this.#recordFailure(visit, '', 'passkey');
    return { kind: 'refused' };
  }

  async #signedIn(
    { towards, address }: LoginVisit,
    account: Account,
    methods: readonly string[],
  ): Promise<LoginOutcome> {
    if (towards !== undefined) {
      const visitor = { accountId: account.id, clientId: towards.clientId, address };
      const entry = { event: 'login.succeeded', outcome: 'ok', details: { methods } } as const;
      await this.parts.audit.recordVisit(towards.target, visitor, entry);
    }
    return { kind: 'signed-in', account, methods };
  }

  /** That a limit stopped somebody is recorded once in its window: what they try meanwhile says nothing new. */
  async #limited(visit: LoginVisit, email: string, retryAfterSeconds: number): Promise<LoginOutcome> {
    const tenantId = visit.towards?.target.tenantId ?? '';
    const key = `login-limited|${tenantId}|${visit.address}|${email}`;
    const isTold = await this.parts.attempts.take({ key, max: 1, windowSeconds: WINDOW_SECONDS });
    if (isTold === 0) await this.#recordFailure(visit, email, 'too_many_attempts');
    return { kind: 'limited', retryAfterSeconds };
  }

  async #recordFailure({ towards, address }: LoginVisit, email: string, rule: LoginRule): Promise<void> {
    if (towards === undefined) return this.parts.audit.noteUnplaced(`login.${rule}`, address);
    const { clientId, target } = towards;
    const known = await this.parts.access.findMember(email, target);
    await this.parts.audit.record(target, {
      event: 'login.failed',
      actor: { kind: 'anonymous' },
      outcome: rule === 'too_many_attempts' ? 'rate_limited' : 'refused',
      // Only a member's e-mail: what strangers typed is no business of the tenant's.
      details: { client: clientId, rule, ...(known === undefined ? {} : { account: known.id, email: known.email }) },
      sourceAddress: address,
    });
  }

  #allowances(what: 'login' | 'factor' | 'passkey', address: string, account: string): Allowance[] {
    const max = this.parts.attemptsMax;
    return [
      { key: `${what}|${address}|${account}`, max, windowSeconds: WINDOW_SECONDS },
      { key: `${what}-address|${address}`, max: max * WIDER, windowSeconds: WINDOW_SECONDS },
      { key: `${what}-account|${account}`, max: max * WIDER, windowSeconds: WINDOW_SECONDS },
    ];
  }
}
