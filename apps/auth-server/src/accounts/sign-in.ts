import type { ServerResponse } from 'node:http';
import type { ReplayedRequest } from '../replayed-request.js';
import type { SecondFactors } from '../second-factors/second-factors.js';
import type { SignInTicket } from '../second-factors/sign-in-ticket.js';
import type { Accounts } from './accounts.js';
import type { Login, LoginOutcome, LoginVisit } from './login.js';

/** What somebody who is not signed in yet is asked for. The passkeys' options are JSON for the browser. */
export type SignInStep =
  | { readonly kind: 'password'; readonly passkey: string | undefined }
  | {
      readonly kind: 'second-factor';
      readonly email: string;
      readonly app: boolean;
      readonly passkey: string | undefined;
    };

/** What went wrong with a form that is shown again. */
export interface SignInProblem {
  readonly status: number;
  readonly reason: 'password' | 'passkey' | 'code' | 'limited';
  readonly email: string;
  readonly retryAfterSeconds?: number;
}

/** How a form of the sign-in ended: signed in, the next step, or the same step again with what was wrong. */
export type SignInResult =
  | { readonly kind: 'signed-in'; readonly accountId: string; readonly methods: readonly string[] }
  | { readonly kind: 'next-step' }
  | { readonly kind: 'problem'; readonly problem: SignInProblem };

/** What the steps of a sign-in rest on. */
export interface SignInParts {
  readonly login: Login;
  readonly accounts: Accounts;
  readonly factors: SecondFactors;
  readonly ticket: SignInTicket;
}

/**
 * The steps of a sign-in, for whichever page shows them: password or passkey, then the second factor where there is
 * one. `bound` names the browser's step that everything is bound to: an interaction, or a visit of our own pages.
 */
export class SignIn {
  constructor(private readonly parts: SignInParts) {}

  /** What is asked for now. */
  async step(request: ReplayedRequest, bound: string): Promise<SignInStep> {
    const { factors, ticket, accounts } = this.parts;
    const accountId = ticket.find(request, bound);
    const account = accountId === undefined ? undefined : await accounts.find(accountId);
    if (account === undefined) return { kind: 'password', passkey: await factors.passkeys.authentication(bound) };
    const { app } = await factors.enrolled(account.id);
    const passkey = await factors.passkeys.authentication(bound, account.id);
    return { kind: 'second-factor', email: account.email, app, passkey };
  }

  /** Takes the form of the present step. */
  async submit(
    request: ReplayedRequest,
    response: ServerResponse,
    bound: string,
    towards?: LoginVisit['towards'],
  ): Promise<SignInResult> {
    const { form, address } = request;
    const { ticket, accounts, login } = this.parts;
    const visit = { address, ...(towards === undefined ? {} : { towards }) };
    const given = { code: form.get('code') ?? '', credential: form.get('credential') ?? '', bound };
    const accountId = ticket.find(request, bound);
    const account = accountId === undefined ? undefined : await accounts.find(accountId);
    if (account !== undefined) {
      if (form.get('action') === 'start-over') {
        ticket.take(response);
        return { kind: 'next-step' };
      }
      const outcome = await login.confirm(visit, account, given);
      if (outcome.kind === 'signed-in') ticket.take(response);
      return this.#resultOf(response, outcome, bound, { reason: 'code', email: account.email });
    }
    if (given.credential !== '') {
      const outcome = await login.attemptPasskey(visit, given);
      return this.#resultOf(response, outcome, bound, { reason: 'passkey', email: '' });
    }
    const email = emailIn(form);
    const outcome = await login.attempt({ ...visit, email, password: form.get('password') ?? '' });
    return this.#resultOf(response, outcome, bound, { reason: 'password', email });
  }

  #resultOf(
    response: ServerResponse,
    outcome: LoginOutcome,
    bound: string,
    { reason, email }: Pick<SignInProblem, 'reason' | 'email'>,
  ): SignInResult {
    switch (outcome.kind) {
      case 'signed-in':
        return { kind: 'signed-in', accountId: outcome.account.id, methods: outcome.methods };
      case 'second-factor':
        this.parts.ticket.give(response, outcome.account.id, bound);
        return { kind: 'next-step' };
      case 'refused':
        return { kind: 'problem', problem: { status: 401, reason, email } };
      case 'limited': {
        const { retryAfterSeconds } = outcome;
        return { kind: 'problem', problem: { status: 429, reason: 'limited', email, retryAfterSeconds } };
      }
    }
  }
}

/** The e-mail of a form, in the one spelling that accounts have. */
export function emailIn(form: URLSearchParams): string {
  return (form.get('email') ?? '').slice(0, 1_000).trim().normalize('NFKC').toLowerCase().slice(0, 320);
}
