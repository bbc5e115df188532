import type { InputOf } from '../contract/contract.js';
import type { WebhookChoices, WebhookRow } from './webhooks.repository.js';
import type { changeWebhook } from './webhooks.schema.js';

/** What somebody wants changed. */
export type WebhookChanges = InputOf<typeof changeWebhook>['body'];

/** What does not fit the webhook's mode. */
export function misfits(
  { mode, url, header_names: headers }: WebhookRow,
  changes: WebhookChanges,
): Array<{ readonly pointer: string; readonly message: string }> {
  const foreign = mode === 'stream' ? (['events'] as const) : (['format', 'from_leaf', 'headers'] as const);
  const problems = foreign
    .filter((field) => changes[field] !== undefined)
    .map((field) => ({ pointer: `/${field}`, message: `A webhook of mode ${mode} has no ${field}.` }));
  // Who may change a stream may not thereby read what it is trusted with.
  const leadsAway = changes.url !== undefined && new URL(changes.url).origin !== new URL(url).origin;
  if (leadsAway && headers.length > 0 && changes.headers === undefined)
    problems.push({ pointer: '/headers', message: 'At another origin the headers must be given again.' });
  return problems;
}

/** The webhook with the changes made; resumed, it begins without its failures. */
export function changedChoices(before: WebhookRow, changes: WebhookChanges): WebhookChoices {
  const state = changes.state ?? before.state;
  const isResumed = before.state === 'paused' && state === 'active';
  return {
    name: changes.name ?? before.name,
    url: changes.url ?? before.url,
    events: changes.events ?? before.events,
    format: changes.format ?? before.format,
    state,
    paused_because: state === 'active' ? null : (before.paused_because ?? 'asked'),
    failing_since: isResumed ? null : before.failing_since,
    last_failure: isResumed ? null : before.last_failure,
  };
}
