/** Asks a database one question and gives the rows, whichever client is behind it. */
export type Ask = <Row>(sql: string, values?: readonly unknown[]) => Promise<Row[]>;

/** A table whose rows belong to tenants, as PostgreSQL's own catalogue knows it. */
export interface TenantTable {
  readonly name: string;
  /** The column that names the tenant. */
  readonly tenantColumn: string;
  /** Columns that can be written, in their order. */
  readonly columns: readonly string[];
  /** Columns of its primary key. */
  readonly key: readonly string[];
  /** Whether its rows refer to others of the same table. */
  readonly refersToItself: boolean;
  /** Columns that name a person: such a row keeps their account. */
  readonly people: readonly string[];
}

interface CatalogueRow extends TenantTable {
  readonly refersTo: readonly string[];
}

const TENANT_TABLES = `
select c.relname as name, case c.relname when 'tenants' then 'id' else 'tenant_id' end as "tenantColumn",
  (select array_agg(a.attname::text order by a.attnum) from pg_attribute a
   where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = '') as columns,
  (select array_agg(a.attname::text order by k.place) from pg_index i
   cross join unnest(i.indkey::int2[]) with ordinality as k (attnum, place)
   join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
   where i.indrelid = c.oid and i.indisprimary) as key,
  exists (select from pg_constraint k where k.conrelid = c.oid and k.confrelid = c.oid and k.contype = 'f') as "refersToItself",
  coalesce((select array_agg(distinct r.relname::text) from pg_constraint k join pg_class r on r.oid = k.confrelid
   where k.conrelid = c.oid and k.contype = 'f' and not k.condeferrable and k.confrelid <> c.oid and r.relrowsecurity), '{}')
   as "refersTo",
  coalesce((select array_agg(a.attname::text order by a.attnum) from pg_constraint k
   join pg_attribute a on a.attrelid = k.conrelid and a.attnum = k.conkey[1]
   where k.conrelid = c.oid and k.contype = 'f' and k.confrelid = 'public.accounts'::regclass), '{}') as people
from pg_class c
where c.relkind in ('r', 'p') and not c.relispartition and c.relnamespace = 'public'::regnamespace and c.relrowsecurity
-- Who a tenant's people are here is known before rows that only name them.
order by c.relname <> 'members', 1`;

/**
 * Every table of tenants' rows, each after those that it refers to: the order to write them in; the other way round, to
 * delete them in. References that are checked at the end of a transaction do not count.
 */
export async function listTenantTables(ask: Ask): Promise<TenantTable[]> {
  const left = await ask<CatalogueRow>(TENANT_TABLES);
  const ordered: TenantTable[] = [];
  const placed = new Set<string>();
  while (left.length > 0) {
    const next = left.findIndex(({ refersTo }) => refersTo.every((name) => placed.has(name)));
    const [table] = left.splice(next, 1);
    if (next === -1 || table === undefined) throw new Error('tables of tenants refer to each other in a circle');
    const { refersTo: _, ...found } = table;
    ordered.push(found);
    placed.add(table.name);
  }
  return ordered;
}

/** A name as SQL reads it. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
