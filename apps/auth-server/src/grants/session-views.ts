import { html, type Html, type Page } from '#libs/pages';
import type { HeldGrant } from './grants.js';

/** What went wrong with a sign-in that is shown again. */
export interface SignInProblem {
  readonly status: number;
  readonly message: string;
  readonly retryAfterSeconds?: number;
}

/** Asks who it is. */
export function signInPage(csrf: string, problem?: SignInProblem): Page {
  return {
    status: problem?.status ?? 200,
    title: `${problem === undefined ? '' : 'Problem: '}Sign in – Wharf`,
    ...(problem?.retryAfterSeconds === undefined ? {} : { retryAfterSeconds: problem.retryAfterSeconds }),
    body: html`<h1>Sign in to see your agents’ access</h1>
      ${problem === undefined ? undefined : html`<div class="problem" role="alert">${problem.message}</div>`}
      <form method="post" novalidate>
        ${hidden('csrf', csrf)}
        <label for="email">E-mail</label>
        <input id="email" name="email" type="email" autocomplete="username" required />
        <label for="password">Password</label>
        <input id="password" name="password" type="password" autocomplete="current-password" required />
        <div class="actions"><button class="main" name="action" value="login">Sign in</button></div>
      </form>`,
  };
}

/** Shows what agents hold for a person, each with a button that ends it. */
export function sessionsPage(email: string, grants: readonly HeldGrant[], csrf: string): Page {
  return {
    status: 200,
    title: 'Your agents’ access – Wharf',
    body: html`<h1>Your agents’ access</h1>
      <p>
        You are signed in as <b>${email}</b>. These apps can act for you. What you end stops working within seconds.
      </p>
      ${grants.length === 0 ? html`<p>No app has access.</p>` : grants.map((grant) => entry(grant, csrf))}
      <form method="post">
        ${hidden('csrf', csrf)}
        <div class="actions"><button name="action" value="sign-out">Sign out of this browser</button></div>
      </form>`,
  };
}

function entry(grant: HeldGrant, csrf: string): Html {
  const name = grant.clientName ?? 'An app without a name';
  return html`<section>
    <h2>${name}</h2>
    <dl>
      <dt>May use</dt>
      <dd>${grant.tenantName}: ${grant.resource}</dd>
      <dt>Sends you back to</dt>
      <dd>${grant.redirectHost ?? 'unknown'}</dd>
      <dt>Client id</dt>
      <dd>${grant.clientId}</dd>
      <dt>Since</dt>
      <dd>${time(grant.createdAt)}</dd>
      <dt>Last got a token</dt>
      <dd>${time(grant.lastUsedAt)}</dd>
    </dl>
    <form method="post">
      ${hidden('csrf', csrf)}${hidden('grant', grant.id)}
      <div class="actions">
        <button name="action" value="revoke" aria-label="End access of ${name} to ${grant.resource}">End access</button>
      </div>
    </form>
  </section>`;
}

function time(at: Date): Html {
  const text = at.toISOString();
  return html`<time datetime="${text}">${text.slice(0, 16).replace('T', ' ')} UTC</time>`;
}

function hidden(name: string, value: string): Html {
  return html`<input type="hidden" name="${name}" value="${value}" />`;
}
