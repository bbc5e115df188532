import type { z } from 'zod';
import type { WebhookRow } from './webhooks.repository.js';
import type { webhookSchema } from './webhooks.schema.js';

/** A webhook as the API shows it. */
export function webhookView(row: WebhookRow): z.input<typeof webhookSchema> {
  const { id, name, url, mode, events, format, state, paused_because, last_failure } = row;
  return {
    id,
    name,
    url,
    mode,
    events,
    stream: mode === 'stream' ? { format, next_leaf: Number(row.stream_next), header_names: row.header_names } : null,
    state,
    paused_because,
    failing_since: row.failing_since?.toISOString() ?? null,
    last_failure,
    previous_secret_expires_at: row.previous_secret_expires_at?.toISOString() ?? null,
    created_at: row.created_at.toISOString(),
  };
}
