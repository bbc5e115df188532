import { html, type Html, type Page } from '#libs/pages';
import { doneSummary, hidden, problemSummary } from '../interactions/form-parts.js';
import { timeOf } from '../interactions/time.js';
import type { Texts } from '../texts/en.js';
import { toldOf, type OwnConnection } from './own-connections.js';

/** What the page of a person's connections is about. */
export interface ConnectionsView {
  readonly texts: Texts;
  readonly csrf: string;
  readonly email: string;
  readonly connections: readonly OwnConnection[];
  /** Whether they have just come back from an upstream. */
  readonly done: boolean;
  readonly accountUrl: string;
  /** Where all of them are, from the page of one. */
  readonly allUrl: string | undefined;
  readonly problem?: { readonly status: number; readonly message: string; readonly retryAfterSeconds?: number };
}

/** Shows where a person may log in and whether they have, each with its buttons. */
export function connectionsPage(view: ConnectionsView): Page {
  const { texts, connections, problem, done } = view;
  const words = texts.connections;
  return {
    status: problem?.status ?? 200,
    language: texts.language,
    title: `${problem === undefined ? '' : texts.problem}${words.title} – Wharf`,
    ...(problem?.retryAfterSeconds === undefined ? {} : { retryAfterSeconds: problem.retryAfterSeconds }),
    body: html`<h1>${words.title}</h1>
      ${problem === undefined ? undefined : problemSummary(problem.message)}
      ${done ? doneSummary(words.done) : undefined}
      <p>${words.as(view.email)}</p>
      <p>${words.what}</p>
      ${connections.length === 0 ? html`<p>${words.none}</p>` : connections.map((each) => entry(view, each))}
      <nav>
        ${view.allUrl === undefined ? undefined : html`<p><a href="${view.allUrl}">${words.all}</a></p>`}
        <p><a href="${view.accountUrl}">${words.account}</a></p>
      </nav>`,
  };
}

function entry({ texts: { connections: words }, csrf }: ConnectionsView, own: OwnConnection): Html {
  const { title, tenantName, tenantSlug, connector, state } = own;
  const connect = state === null ? words.connect(title) : words.reconnect(title);
  return html`<section>
    <h2><bdi>${title}</bdi></h2>
    <dl>
      <dt>${words.for}</dt>
      <dd><bdi>${tenantName}</bdi></dd>
      <dt>${words.at}</dt>
      <dd>${own.issuer}</dd>
      <dt>${words.sends}</dt>
      <dd>${own.origins.join(', ')}</dd>
      <dt>${words.state}</dt>
      <dd>
        ${words.states[state ?? 'none']}${own.connectedAt === null ? undefined : html` (${timeOf(own.connectedAt)})`}
      </dd>
    </dl>
    <form method="post">
      ${hidden('csrf', csrf)}${hidden('tenant', tenantSlug)}${hidden('connector', connector)}${hidden('told', toldOf(own))}
      <div class="actions">
        <button class="main" name="action" value="connect">${connect}</button>
        ${
          state === null
            ? undefined
            : html`<button name="action" value="disconnect" aria-label="${words.disconnectFrom(title)}">
                ${words.disconnect}
              </button>`
        }
      </div>
    </form>
  </section>`;
}
