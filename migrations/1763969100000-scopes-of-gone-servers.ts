import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Keys and clients that still have scopes of servers that were deleted lose them, as they now do in the moment a server is
 * deleted: the next server of that name would be opened by them. A key that has no other scope is revoked, a client that
 * has none is disabled.
 */
export class ScopesOfGoneServers1763969100000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      update api_keys k set scopes = case when cardinality(n.kept) = 0 then k.scopes else n.kept end,
        revoked_at = case when cardinality(n.kept) = 0 then now() end
      from api_keys o cross join lateral (${KEPT}) n
      where o.tenant_id = k.tenant_id and o.id = k.id and k.revoked_at is null
        and cardinality(n.kept) < cardinality(o.scopes)`);
    await runner.query(`
      update clients c set scopes = n.kept, enabled = c.enabled and cardinality(n.kept) > 0
      from clients o cross join lateral (${KEPT}) n
      where o.tenant_id = c.tenant_id and o.id = c.id and cardinality(n.kept) < cardinality(o.scopes)`);
  }

  /** What named nothing is not missed. */
  async down(): Promise<void> {}
}

/** The scopes of `o` that are of no server, or of one that is there, in their order. */
const KEPT = `select coalesce(array_agg(s.scope order by s.at), '{}') as kept
  from unnest(o.scopes) with ordinality as s(scope, at)
  where strpos(s.scope, ':') = 0 or s.scope = 'mcp:read' or exists (
    select from servers v where v.tenant_id = o.tenant_id and v.slug = split_part(s.scope, ':', 1))`;
