import { newId } from '#libs/database';
import { canonicalJson, sha256Digest, type ToolView } from '#libs/protocol';
import type { GatewayUnderTest, TenantUnderTest } from './gateway.fixture.js';

/** Creates or changes a profile, as the control-plane does; answers its URL. The gateway hears of it a moment later. */
export async function writeProfile(
  { control, origin }: GatewayUnderTest,
  tenant: TenantUnderTest,
  slug: string,
  given: Partial<ToolView> = {},
): Promise<string> {
  const view: ToolView = { kind: 'view', exclude: [], renames: {}, nameMax: 64, ...given };
  const text = canonicalJson(view);
  const settings = { servers: view.servers ?? null, read_only: view.only === 'read', search: view.search === true };
  await control.asTenant(tenant.id, (tx) =>
    tx.query(
      `insert into profiles (tenant_id, id, slug, name, settings, view_digest, view) values ($1, $2, $3, $3, $4, $5, $6)
       on conflict (tenant_id, slug) do update set settings = $4, previous_view_digest = profiles.view_digest,
         previous_view = profiles.view, view_digest = $5, view = $6`,
      [tenant.id, newId(), slug, JSON.stringify(settings), sha256Digest(text), text],
    ),
  );
  return slug === 'mcp' ? tenant.url : `${origin}/t/${tenant.slug}/${slug}/mcp`;
}
