import { ERROR_CATALOGUE } from '#libs/errors';
import { escape } from './html.js';

/** Every error of the catalogue, each with an anchor of its own. */
export function errorTable(): string {
  const rows = Object.entries(ERROR_CATALOGUE).map(
    ([code, { status, title }]) =>
      `<tr id="error-${code}"><th scope="row"><code>${code}</code></th><td>${status}</td><td>${escape(title)}</td></tr>`,
  );
  return `<h2 id="errors">Errors</h2><table><caption>Codes of problem documents</caption><thead><tr><th scope="col">Code</th><th scope="col">Status</th><th scope="col">Meaning</th></tr></thead><tbody>${rows.join('')}</tbody></table>`;
}
