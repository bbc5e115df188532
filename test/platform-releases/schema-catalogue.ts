import { Client } from 'pg';

/** What programs rely on in a database: each part by a name that tells everything about it. */
export interface SchemaCatalogue {
  /** `table.column` → its type. */
  readonly columns: ReadonlyMap<string, string>;
  /** Columns that every insert has to fill: not null, without a default. */
  readonly required: ReadonlySet<string>;
  /** What `on conflict` may name: the columns of unique indexes, `table (a, b)`. */
  readonly uniques: ReadonlySet<string>;
  /** What each service's role may do: `role privilege table` or `role privilege table.column`. */
  readonly grants: ReadonlySet<string>;
}

interface ColumnRow {
  readonly name: string;
  readonly type: string;
  readonly required: boolean;
}

/** Reads what programs rely on in a database. */
export async function readCatalogue(databaseUrl: string): Promise<SchemaCatalogue> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const columns = await client.query<ColumnRow>(
      `select c.relname || '.' || a.attname as name, format_type(a.atttypid, a.atttypmod) as type,
         a.attnotnull and not a.atthasdef and a.attidentity = '' and a.attgenerated = '' as required
       from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
       where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition`,
    );
    const uniques = await client.query<{ name: string }>(
      `select c.relname || ' (' || string_agg(a.attname, ', ' order by k.place) || ')' as name
       from pg_index i join pg_class c on c.oid = i.indrelid
       cross join unnest(i.indkey::int[]) with ordinality as k(number, place)
       join pg_attribute a on a.attrelid = c.oid and a.attnum = k.number
       where c.relnamespace = 'public'::regnamespace and not c.relispartition and i.indisunique and i.indpred is null
       group by c.relname, i.indexrelid`,
    );
    const grants = await client.query<{ name: string }>(
      `select grantee || ' ' || privilege_type || ' ' || table_name || '.' || column_name as name
       from information_schema.column_privileges where table_schema = 'public' and grantee like 'wharf\\_%'
       union select grantee || ' DELETE ' || table_name from information_schema.table_privileges
       where table_schema = 'public' and privilege_type = 'DELETE' and grantee like 'wharf\\_%'`,
    );
    return {
      columns: new Map(columns.rows.map(({ name, type }) => [name, type])),
      required: new Set(columns.rows.flatMap(({ name, required }) => (required ? [name] : []))),
      uniques: new Set(uniques.rows.map(({ name }) => name)),
      grants: new Set(grants.rows.map(({ name }) => name)),
    };
  } finally {
    await client.end();
  }
}
