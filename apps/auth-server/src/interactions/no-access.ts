import type { AccessRefusal } from '../access/resource-access.js';
import { html, type Html, type Page } from '#libs/pages';
import type { FormContext } from './pages.js';
import { hidden } from './form-parts.js';

/** What a client is told where its person has no access: nothing of who that is. */
export const REFUSAL_DESCRIPTIONS: Readonly<Record<AccessRefusal, string>> = {
  suspended: 'Nothing is given out for this resource now.',
  not_member: 'This account may not use the resource; ask its tenant for access.',
  no_role:
    'The role of this account may not use the management API; ask an owner or administrator of the tenant for another one. ' +
    'The URLs of its MCP servers are open to every role.',
  not_named:
    'This server is open to other people or groups of its tenant; ask an owner or administrator to add this account.',
};

/** Tells a person without access why that is, and who can give it; where a device waited, that it does so no more. */
export function noAccessPage(context: FormContext, email: string, refusal: AccessRefusal): Page {
  const { interaction, target, csrf, texts } = context;
  const words = texts.noAccess;
  const device = interaction.redirectUri === undefined;
  return {
    status: 403,
    language: texts.language,
    title: `${words.title} – ${target.tenantName} – Wharf`,
    ...(device ? {} : { redirectUri: interaction.redirectUri }),
    body: html`<h1>${words.heading(target.tenantName)}</h1>
      <p>${why(context, email, refusal)}</p>
      <p>${words.who(target.tenantName)}</p>
      ${device ? html`<p>${words.deviceTold}</p>` : undefined}
      <form method="post">
        ${hidden('csrf', csrf)}
        <div class="actions">
          ${device ? undefined : html`<button class="main" name="action" value="deny">${words.back}</button>`}
          <button name="action" value="sign-out">${texts.consent.other}</button>
        </div>
      </form>`,
  };
}

function why({ target, texts: { noAccess: words } }: FormContext, email: string, refusal: AccessRefusal): Html {
  switch (refusal) {
    case 'no_role':
      return words.noRole(email, target.tenantName, target.url);
    case 'not_named':
      return words.notNamed(email, target.tenantName, target.url);
    case 'not_member':
    case 'suspended':
      return words.notMember(email, target.tenantName, target.url);
  }
}
