import { PRODUCTION } from '../environments/environment-name.js';
import type { z } from 'zod';
import { resourceUrl } from '#libs/identity';
import type { ResultGuard } from '#libs/protocol';
import type { ServerRow } from './servers.repository.js';
import type { serverSchema } from './servers.schema.js';

/** A server as the API shows it. */
export function serverView(row: ServerRow, tenantSlug: string, publicUrl: string): z.input<typeof serverSchema> {
  return {
    id: row.id,
    slug: row.slug,
    environment: row.environment ?? PRODUCTION,
    name: row.name,
    urls: { mcp: resourceUrl({ publicUrl }, { kind: 'server', tenantSlug, serverSlug: row.slug }) },
    live_release: row.live,
    previous_release: row.previous,
    stale_answers: { enabled: row.stale_answers, max_age_seconds: row.stale_answers_max_age_seconds },
    audit: { records_content: row.records_content },
    writes: row.writes,
    asks_for: row.asks_for,
    tool_groups: row.tool_groups,
    token_exchange: { clients: row.exchange_clients, servers: row.exchange_servers },
    sse_transport: row.sse_transport,
    public_lists: row.public_lists,
    inline_result_bytes: row.inline_result_bytes,
    approves_destructive: row.approves_destructive,
    result_guard: shownGuard(row.result_guard),
    created_at: row.created_at.toISOString(),
  };
}

function shownGuard(guard: ResultGuard | null): z.input<typeof serverSchema>['result_guard'] {
  const rule = guard?.personal_data;
  return guard && { ...guard, personal_data: rule ? { ...rule, kinds: [...rule.kinds] } : null };
}
