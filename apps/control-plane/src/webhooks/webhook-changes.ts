import type { InputOf } from '../contract/contract.js';
import type { WebhookChoices, WebhookRow } from './webhooks.repository.js';
import type { changeWebhook } from './webhooks.schema.js';

/** What somebody wants changed. */
export type WebhookChanges = InputOf<typeof changeWebhook>['body'];

/** What does not fit the webhook's mode. */
export function misfits(
  { mode }: WebhookRow,
  changes: WebhookChanges,
): Array<{ readonly pointer: string; readonly message: string }> {
  const foreign = mode === 'stream' ? (['events'] as const) : (['format', 'from_leaf'] as const);
  return foreign
    .filter((field) => changes[field] !== undefined)
    .map((field) => ({ pointer: `/${field}`, message: `A webhook of mode ${mode} has no ${field}.` }));
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
