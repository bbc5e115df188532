import type { z } from 'zod';
import { resourceUrl } from '#libs/identity';
import { estimateTokens, SEARCH_MODE } from '#libs/protocol';
import { planView, shownTools, warningsOf } from './plan-view.js';
import type { LiveTools, ProfileRow } from './profiles.repository.js';
import type { getProfile } from './profiles.schema.js';

/** Where a profile is shown: at which tenant, on which platform, beside which live releases. */
export interface ShownAt {
  readonly tenantSlug: string;
  readonly publicUrl: string;
  readonly live: readonly LiveTools[];
}

const SEARCH_MODE_TOKENS = estimateTokens(JSON.stringify({ tools: SEARCH_MODE.map(({ definition }) => definition) }));

/** A profile as the API shows it. */
export function profileAnswer(
  { id, slug, name, settings, created_at: createdAt }: ProfileRow,
  { tenantSlug, publicUrl, live }: ShownAt,
): z.input<typeof getProfile.answer.schema>['profile'] {
  const { view } = planView(settings, { tenantSlug, slug });
  const tools = shownTools(view, live);
  const { approved: _, ...shown } = settings;
  const cost = tools.reduce((sum, { tokens }) => sum + (tokens ?? 0), 0);
  return {
    id,
    slug,
    name,
    ...shown,
    urls: { mcp: urlOf(slug, tenantSlug, publicUrl) },
    live_now: {
      tools: tools.length,
      listed_tools: settings.search ? SEARCH_MODE.length : tools.length,
      list_tokens: settings.search ? SEARCH_MODE_TOKENS : cost,
      warnings: warningsOf(settings, view, live),
    },
    created_at: createdAt.toISOString(),
  };
}

/** The profile `mcp` is that of the tenant's own URL. */
function urlOf(slug: string, tenantSlug: string, publicUrl: string): string {
  return resourceUrl(
    { publicUrl },
    slug === 'mcp' ? { kind: 'tenant', tenantSlug } : { kind: 'server', tenantSlug, serverSlug: slug },
  );
}
