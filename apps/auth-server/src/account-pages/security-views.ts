import { html, type Html, type Page } from '#libs/pages';
import type { Account } from '../accounts/accounts.js';
import { doneSummary, hidden, passkeyButton, problemSummary } from '../interactions/form-parts.js';
import { PASSKEY_SCRIPT } from '../interactions/passkey-script.js';
import { timeOf } from '../interactions/time.js';
import type { Passkey } from '../second-factors/passkeys.js';
import type { Texts } from '../texts/en.js';

/** What a page may say was done; the address of the page names it. */
export const DONE = ['sent', 'changed', 'appRemoved', 'passkeyAdded', 'passkeyRemoved'] as const;
export type Done = (typeof DONE)[number];

/** What somebody's password and sign-in page is about. */
export interface SecurityView {
  readonly account: Account;
  readonly texts: Texts;
  readonly csrf: string;
  readonly app: boolean;
  readonly passkeys: readonly Passkey[];
  /** JSON for the browser; undefined where none can be added. */
  readonly registration: string | undefined;
  readonly recoveryCodes: number;
  readonly sessionsUrl: string;
  readonly connectionsUrl: string;
  readonly done?: Done;
  readonly problem?: { readonly status: number; readonly message: string; readonly retryAfterSeconds?: number };
}

/** Shows how a person signs in, with a form for each change. */
export function securityPage(view: SecurityView): Page {
  const { account, texts, csrf, problem, done } = view;
  const words = texts.security;
  return {
    status: problem?.status ?? 200,
    language: texts.language,
    title: `${problem === undefined ? '' : texts.problem}${words.title} – Wharf`,
    script: PASSKEY_SCRIPT,
    ...(problem?.retryAfterSeconds === undefined ? {} : { retryAfterSeconds: problem.retryAfterSeconds }),
    body: html`<h1>${words.title}</h1>
      ${problem === undefined ? undefined : problemSummary(problem.message)}
      ${done === undefined ? undefined : doneSummary(words[done])}
      <p>${words.as(account.email)}</p>
      <nav>
        <p><a href="${view.sessionsUrl}">${words.agents}</a></p>
        <p><a href="${view.connectionsUrl}">${texts.connections.title}</a></p>
      </nav>
      ${account.federated ? html`<p>${words.elsewhere}</p>` : ownSections(view)}
      <form method="post">
        ${hidden('csrf', csrf)}
        <div class="actions"><button name="action" value="sign-out">${words.signOut}</button></div>
      </form>`,
  };
}

function ownSections(view: SecurityView): Html {
  return html`${addressSection(view)} ${passwordSection(view)} ${appSection(view)} ${passkeySection(view)}
  ${view.app || view.passkeys.length > 0 ? codesSection(view) : undefined}`;
}

function addressSection({ account, texts: { security: words }, csrf }: SecurityView): Html {
  if (account.emailVerified) return section(words.address, html`<p>${words.verified}</p>`);
  return section(
    words.address,
    html`<p class="warning">${words.unverified}</p>
      ${oneButton(csrf, 'send-link', words.sendAgain)}`,
  );
}

function passwordSection({ texts: { security: words }, account, csrf }: SecurityView): Html {
  return section(
    words.password,
    html`<form method="post" novalidate>
      ${hidden('csrf', csrf)}
      <input type="hidden" autocomplete="username" value="${account.email}" />
      <label for="old">${words.oldPassword}</label>
      <input id="old" name="old" type="password" autocomplete="current-password" required />
      <label for="new">${words.newPassword}</label>
      <input id="new" name="new" type="password" autocomplete="new-password" required aria-describedby="ends" />
      <p class="note" id="ends">${words.changeEnds}</p>
      <div class="actions"><button name="action" value="change-password">${words.change}</button></div>
    </form>`,
  );
}

function appSection({ texts: { security: words }, account, csrf, app }: SecurityView): Html {
  return section(
    words.app,
    html`<p>${app ? words.appOn : words.appOff}</p>
      ${app ? oneButton(csrf, 'remove-app', words.removeApp) : undefined}
      ${!app && account.emailVerified ? oneButton(csrf, 'set-up-app', words.setUpApp) : undefined}`,
  );
}

function passkeySection(view: SecurityView): Html {
  const { texts, account, csrf, passkeys, registration } = view;
  const words = texts.security;
  return section(
    words.passkeys,
    html`<p>${words.passkeysWhat}</p>
      ${passkeys.length === 0 ? html`<p>${words.passkeysNone}</p>` : passkeys.map((passkey) => passkeyEntry(view, passkey))}
      ${
        account.emailVerified && registration !== undefined
          ? html`<form method="post" novalidate>
              ${hidden('csrf', csrf)} ${hidden('action', 'add-passkey')}
              <label for="passkey-name">${words.passkeyName}</label>
              <input id="passkey-name" name="name" type="text" maxlength="60" autocomplete="off" />
              <div class="actions">${passkeyButton(texts, 'create', registration, words.addPasskey)}</div>
              <noscript><p class="note">${words.needsScript}</p></noscript>
            </form>`
          : undefined
      }`,
  );
}

function passkeyEntry({ texts: { security: words, never }, csrf }: SecurityView, passkey: Passkey): Html {
  return html`<section>
    <h3><bdi>${passkey.name}</bdi></h3>
    <p class="note">
      ${words.added}: ${timeOf(passkey.createdAt)}. ${words.lastUsed}:
      ${passkey.lastUsedAt === null ? never : timeOf(passkey.lastUsedAt)}.
    </p>
    <form method="post">
      ${hidden('csrf', csrf)}${hidden('passkey', passkey.id)}
      <button name="action" value="remove-passkey" aria-label="${words.removeOf(passkey.name)}">${words.remove}</button>
    </form>
  </section>`;
}

function codesSection({ texts: { security: words }, csrf, recoveryCodes }: SecurityView): Html {
  return section(
    words.codes,
    html`<p>${words.codesLeft(recoveryCodes)}</p>
      ${oneButton(csrf, 'renew-codes', words.renewCodes)}`,
  );
}

function section(heading: string, body: Html): Html {
  return html`<section>
    <h2>${heading}</h2>
    ${body}
  </section>`;
}

function oneButton(csrf: string, action: string, label: string): Html {
  return html`<form method="post">
    ${hidden('csrf', csrf)}
    <div class="actions"><button name="action" value="${action}">${label}</button></div>
  </form>`;
}
