import { html, type Html } from '#libs/pages';

/** A moment, to the minute. */
export function timeOf(at: Date): Html {
  const text = at.toISOString();
  return html`<time datetime="${text}">${text.slice(0, 16).replace('T', ' ')} UTC</time>`;
}
