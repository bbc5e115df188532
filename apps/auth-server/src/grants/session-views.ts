import { html, type Html, type Page } from '#libs/pages';
import { hidden } from '../interactions/form-parts.js';
import { timeOf } from '../interactions/time.js';
import type { Texts } from '../texts/en.js';
import type { HeldGrant } from './held-grant.js';

/** What the page of a person's agents is about. */
export interface SessionsView {
  readonly email: string;
  readonly grants: readonly HeldGrant[];
  readonly csrf: string;
  readonly texts: Texts;
  readonly securityUrl: string;
}

/** Shows what agents hold for a person, each with a button that ends it. */
export function sessionsPage({ email, grants, csrf, texts, securityUrl }: SessionsView): Page {
  const words = texts.sessions;
  return {
    status: 200,
    language: texts.language,
    title: `${words.title} – Wharf`,
    body: html`<h1>${words.title}</h1>
      <p>${words.as(email)}</p>
      ${grants.length === 0 ? html`<p>${words.none}</p>` : grants.map((grant) => entry(grant, csrf, texts))}
      <form method="post">
        ${hidden('csrf', csrf)}
        <div class="actions"><button name="action" value="sign-out">${words.signOut}</button></div>
      </form>
      <nav>
        <p><a href="${securityUrl}">${words.security}</a></p>
      </nav>`,
  };
}

function entry(grant: HeldGrant, csrf: string, { sessions: words }: Texts): Html {
  const name = grant.clientName ?? words.noName;
  return html`<section>
    <h2><bdi>${name}</bdi></h2>
    <dl>
      <dt>${words.uses}</dt>
      <dd>${grant.tenantName}: ${grant.resource}</dd>
      <dt>${words.back}</dt>
      <dd>${grant.redirectHost ?? words.unknown}</dd>
      <dt>${words.clientId}</dt>
      <dd>${grant.clientId}</dd>
      <dt>${words.since}</dt>
      <dd>${timeOf(grant.createdAt)}</dd>
      <dt>${words.lastUsed}</dt>
      <dd>${timeOf(grant.lastUsedAt)}</dd>
    </dl>
    <form method="post">
      ${hidden('csrf', csrf)}${hidden('grant', grant.id)}
      <div class="actions">
        <button name="action" value="revoke" aria-label="${words.endOf(name, grant.resource)}">${words.end}</button>
      </div>
    </form>
  </section>`;
}
