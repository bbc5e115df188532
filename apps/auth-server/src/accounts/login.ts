import type { AccessAudit } from '../access/access-audit.js';
import type { ResourceAccess, Target } from '../access/resource-access.js';
import type { Allowance, AttemptCounter } from '../limits/attempt-counter.js';
import type { Account, Accounts } from './accounts.js';

const WINDOW_SECONDS = 15 * 60;
const WIDER = 5;

/** Somebody's attempt to sign in, on the way to a target or to a page of their own. */
export interface LoginAttempt {
  readonly email: string;
  readonly password: string;
  readonly address: string;
  readonly towards?: { readonly clientId: string; readonly target: Target };
}

/** How an attempt ended. */
export type LoginOutcome =
  | { readonly kind: 'signed-in'; readonly account: Account }
  | { readonly kind: 'refused' }
  | { readonly kind: 'limited'; readonly retryAfterSeconds: number };

/** What signing in rests on. */
export interface LoginParts {
  readonly accounts: Accounts;
  readonly access: ResourceAccess;
  readonly audit: AccessAudit;
  readonly attempts: AttemptCounter;
  /** Attempts of one address at one account in 15 minutes; a success starts the count anew. */
  readonly attemptsMax: number;
}

/** Checks e-mail and password within limits per address and account, and records the outcome at the target's tenant, where there is one. */
export class Login {
  constructor(private readonly parts: LoginParts) {}

  async attempt(attempt: LoginAttempt): Promise<LoginOutcome> {
    const allowances = this.#allowances(attempt);
    const retryAfterSeconds = await this.parts.attempts.take(...allowances);
    if (retryAfterSeconds > 0) return { kind: 'limited', retryAfterSeconds };
    const account = await this.parts.accounts.verifyPassword(attempt.email, attempt.password);
    if (account === undefined) {
      await this.#recordFailure(attempt);
      return { kind: 'refused' };
    }
    await this.parts.attempts.forget(...allowances.slice(0, 1));
    if (attempt.towards !== undefined) {
      const { clientId, target } = attempt.towards;
      const visitor = { accountId: account.id, clientId, address: attempt.address };
      await this.parts.audit.recordVisit(target, visitor, { event: 'login.succeeded', outcome: 'ok' });
    }
    return { kind: 'signed-in', account };
  }

  async #recordFailure(attempt: LoginAttempt): Promise<void> {
    if (attempt.towards === undefined) return;
    const { clientId, target } = attempt.towards;
    const known = await this.parts.access.findMember(attempt.email, target);
    await this.parts.audit.record(target, {
      event: 'login.failed',
      actor: { kind: 'anonymous' },
      outcome: 'refused',
      // Only a member's e-mail: what strangers typed is no business of the tenant's.
      details: { client: clientId, ...(known === undefined ? {} : { account: known.id, email: known.email }) },
      sourceAddress: attempt.address,
    });
  }

  #allowances({ address, email }: LoginAttempt): Allowance[] {
    const max = this.parts.attemptsMax;
    return [
      { key: `login|${address}|${email}`, max, windowSeconds: WINDOW_SECONDS },
      { key: `login-address|${address}`, max: max * WIDER, windowSeconds: WINDOW_SECONDS },
      { key: `login-account|${email}`, max: max * WIDER, windowSeconds: WINDOW_SECONDS },
    ];
  }
}
