import type { Client } from 'pg';
import type { Manifest } from './manifest.js';

/** What an installation offers and how far its logs are signed. */
export type Contents = Pick<Manifest, 'tools' | 'checkpoints' | 'oldest_record_at'>;

const TOOLS = `
select t.slug as tenant, s.slug as server, r.number as release, r.digest, coalesce(r.tool_digests, '{}') as tools
from servers s join tenants t on t.id = s.tenant_id
  join releases r on r.tenant_id = s.tenant_id and r.id = s.live_release_id
order by 1, 2`;

const CHECKPOINTS = `
(select distinct on (tenant_id) tenant_id::text as tenant, size::text, encode(root, 'hex') as root
 from audit_checkpoints order by tenant_id, audit_checkpoints.size desc)
union all
(select null, size::text, encode(root, 'hex') from platform_checkpoints order by platform_checkpoints.size desc limit 1)`;

const OLDEST = `select least((select min(at) from audit_log), (select min(at) from audit_records)) as at`;

/** Reads what a backup and a restored installation are compared by. */
export async function describeContents(client: Client): Promise<Contents> {
  const tools = await client.query<Manifest['tools'][number]>(TOOLS);
  const checkpoints = await client.query<Manifest['checkpoints'][number]>(CHECKPOINTS);
  const oldest = await client.query<{ at: Date | null }>(OLDEST);
  return {
    tools: tools.rows,
    checkpoints: checkpoints.rows,
    oldest_record_at: oldest.rows[0]?.at?.toISOString() ?? null,
  };
}
