import { newId } from '#libs/database';
import type { ControlPlane, TestTenant } from './control-plane.fixture.js';

type NewRelease = (api: ControlPlane, tenant: TestTenant, server: string) => Promise<string>;

/** Makes releases as copies of one for each tenant, which `build` makes when the first is asked for. */
export function releasesLike(build: (api: ControlPlane, tenant: TestTenant) => Promise<string>): NewRelease {
  const built = new Map<string, Promise<string>>();
  return async (api, tenant, server) => {
    const like = built.get(tenant.id) ?? build(api, tenant);
    built.set(tenant.id, like);
    return copy(api, tenant, { like: await like, server });
  };
}

async function copy(
  api: ControlPlane,
  { id: tenantId }: TestTenant,
  { like, server }: { readonly like: string; readonly server: string },
): Promise<string> {
  return api.control.asTenant(tenantId, async (tx) => {
    const columns: Array<{ name: string }> = await tx.query(
      `select attname as name from pg_attribute
       where attrelid = 'releases'::regclass and attnum > 0 and not attisdropped and attgenerated = ''`,
    );
    const names = columns.map(({ name }) => `"${name}"`).join(', ');
    const id = newId();
    await tx.query(
      `insert into releases (${names})
       select ${names} from (
         select (jsonb_populate_record(r, jsonb_build_object('id', $2::uuid, 'server_id', s.id, 'number', n.next,
           'version', n.next || '.0.0'))).*
         from releases r, servers s,
           lateral (select coalesce(max(number), 0) + 1 as next from releases where server_id = s.id) n
         where r.tenant_id = $1 and r.id = $3 and s.tenant_id = $1 and s.slug = $4) copied`,
      [tenantId, id, like, server],
    );
    return id;
  });
}
