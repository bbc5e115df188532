import { createHash } from 'node:crypto';
import type { ControlPlane, TestTenant } from './control-plane.fixture.js';

/** Gives a tenant a server with a live release that names these origins; it is there once. */
export async function serverCalling(
  api: ControlPlane,
  { id, key }: TestTenant,
  slug: string,
  origins: readonly string[],
): Promise<void> {
  const made = await api.send('POST', '/v1/servers', { key, body: { slug, name: slug } });
  if (made.status === 409) return;
  const manifest = Buffer.from(JSON.stringify({ origins }));
  const digest = `sha256:${createHash('sha256').update(manifest).digest('hex')}`;
  await api.control.asTenant(id, async (tx) => {
    await tx.query(
      `insert into blobs (tenant_id, digest, media_type, bytes, content) values ($1, $2, 'application/json', $3, $4)
       on conflict (tenant_id, digest) do nothing`,
      [id, digest, manifest.length, manifest],
    );
    await tx.query(
      `with release as (
         insert into releases (tenant_id, id, server_id, number, kind, digest, state, report, created_by, tools)
         select tenant_id, gen_random_uuid(), id, 1, 'http', $3, 'live', '{}', '{}', '{}' from servers
         where tenant_id = $1 and slug = $2 returning id)
       update servers set live_release_id = (select id from release) where tenant_id = $1 and slug = $2`,
      [id, slug, digest],
    );
  });
}
