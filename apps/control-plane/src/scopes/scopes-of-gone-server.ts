import { appendAudit } from '#libs/audit';
import type { Transaction } from '#libs/database';
import { parseResource, type UrlScheme } from '#libs/identity';
import { doneBy, type TenantCaller } from '../access/caller.js';

/** What lost something, or ended, with a server. */
export interface EndedWithServer {
  readonly api_keys_narrowed: number;
  readonly api_keys_revoked: number;
  readonly clients_narrowed: number;
  readonly clients_disabled: number;
  readonly grants_ended: number;
}

interface Narrowed {
  readonly id: string;
  readonly left: string[];
}

/**
 * Takes the scopes of a server that is deleted from whatever holds them: another server of its name would be opened by
 * credentials that nobody meant for it. A key that has no other scope is revoked, a machine client that has none is
 * disabled; what agents hold for people at its URLs, or by scopes of it, ends. Call it with `lockScopes` held.
 */
export async function endScopesOf(
  tx: Transaction,
  caller: TenantCaller,
  { slug, scheme }: { readonly slug: string; readonly scheme: UrlScheme },
): Promise<EndedWithServer> {
  const keys = await narrowKeys(tx, caller, slug);
  const clients = await narrowClients(tx, caller, slug);
  const isUsed = ({ left }: Narrowed): boolean => left.length > 0;
  return {
    api_keys_narrowed: keys.filter(isUsed).length,
    api_keys_revoked: keys.filter((key) => !isUsed(key)).length,
    clients_narrowed: clients.filter(isUsed).length,
    clients_disabled: clients.filter((client) => !isUsed(client)).length,
    grants_ended: await endGrants(tx, caller.tenantId, { slug, scheme }),
  };
}

/** A revoked key goes on telling what it was for. */
async function narrowKeys(tx: Transaction, caller: TenantCaller, slug: string): Promise<Narrowed[]> {
  const [narrowed]: [Narrowed[], number] = await tx.query(
    `update api_keys k set scopes = case when cardinality(n.kept) = 0 then k.scopes else n.kept end,
       revoked_at = case when cardinality(n.kept) = 0 then now() end
     from api_keys o cross join lateral (${KEPT}) n
     where k.tenant_id = $1 and o.tenant_id = k.tenant_id and o.id = k.id and k.revoked_at is null
       and cardinality(n.kept) < cardinality(o.scopes) returning k.id, n.kept as left`,
    [caller.tenantId, slug],
  );
  const entries = narrowed.map(({ id, left }) =>
    left.length === 0
      ? doneBy(caller, { event: 'api_key.revoked', target: `api_key:${id}`, details: { reason: 'server_deleted' } })
      : doneBy(caller, { event: 'api_key.narrowed', target: `api_key:${id}`, details: { scopes: left, server: slug } }),
  );
  await appendAudit(tx, caller.tenantId, entries);
  return narrowed;
}

async function narrowClients(tx: Transaction, caller: TenantCaller, slug: string): Promise<Narrowed[]> {
  const [narrowed]: [Array<Narrowed & { enabled: boolean }>, number] = await tx.query(
    `update clients c set scopes = n.kept, enabled = c.enabled and cardinality(n.kept) > 0
     from clients o cross join lateral (${KEPT}) n
     where c.tenant_id = $1 and o.tenant_id = c.tenant_id and o.id = c.id
       and cardinality(n.kept) < cardinality(o.scopes) returning c.id, n.kept as left, c.enabled`,
    [caller.tenantId, slug],
  );
  const entries = narrowed.map(({ id, enabled }) =>
    doneBy(caller, { event: 'client.changed', target: `client:${id}`, details: { changed: ['scopes'], enabled } }),
  );
  await appendAudit(tx, caller.tenantId, entries);
  return narrowed;
}

async function endGrants(
  tx: Transaction,
  tenantId: string,
  { slug, scheme }: { readonly slug: string; readonly scheme: UrlScheme },
): Promise<number> {
  const held: Array<{ resource: string }> = await tx.query(
    `select distinct resource from grants where tenant_id = $1 and revoked_at is null and expires_at > now()`,
    [tenantId],
  );
  const urls = held.map(({ resource }) => resource).filter((url) => isOf(url, slug, scheme));
  const [ended]: [unknown[], number] = await tx.query(
    `update grants g set revoked_at = now()
     where tenant_id = $1 and revoked_at is null and expires_at > now() and (resource = any($2) or exists (
       select from unnest(string_to_array(g.scope, ' ')) as scope where split_part(scope, ':', 1) = $3 and scope like '%:%'))
     returning id`,
    [tenantId, urls, slug],
  );
  return ended.length;
}

function isOf(url: string, slug: string, scheme: UrlScheme): boolean {
  const resource = parseResource(scheme, url);
  return resource?.kind === 'server' && resource.serverSlug === slug;
}

/** The scopes of `o` that are not of the server, in their order. */
const KEPT = `select coalesce(array_agg(s.scope order by s.at), '{}') as kept
  from unnest(o.scopes) with ordinality as s(scope, at)
  where strpos(s.scope, ':') = 0 or split_part(s.scope, ':', 1) <> $2`;
