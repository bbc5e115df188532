import { html, renderPage, type Html } from '#libs/pages';
import type { OutgoingHttpHeaders } from 'node:http';

/** A page as it is sent. */
export interface SentPage {
  readonly text: string;
  readonly headers: OutgoingHttpHeaders;
}

/** The form of an invitation, with what was wrong the last time. */
export function invitationForm(token: string, problem?: string): SentPage {
  const said = problem === undefined ? undefined : html`<p role="alert">${problem}</p>`;
  return pageOf(
    'You are invited',
    html`<h1>You are invited</h1>
      ${said}
      <p>Choose a password of 12 characters or more. If you have an account at Wharf already, give its password.</p>
      <form method="post" action="/v1/invitations/acceptance/${token}">
        <label for="password">Password</label>
        <input
          id="password"
          name="password"
          type="password"
          minlength="12"
          maxlength="128"
          required
          autocomplete="current-password"
        />
        <button type="submit">Accept the invitation</button>
      </form>`,
  );
}

/** What follows on an accepted invitation. */
export function acceptedPage({
  tenant,
  role,
  url,
}: {
  readonly tenant: string;
  readonly role: string;
  readonly url: string;
}): SentPage {
  return pageOf(
    'You are a member now',
    html`<h1>You are a member now</h1>
      <p>You belong to <strong>${tenant}</strong> (role: ${role}). Give your agent this URL:</p>
      <p><code>${url}</code></p>`,
  );
}

function pageOf(title: string, body: Html): SentPage {
  return renderPage({ status: 200, title, body });
}
