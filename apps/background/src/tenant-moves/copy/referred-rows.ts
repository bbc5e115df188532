import type { Client } from 'pg';
import { quoted } from '#libs/tenant-archive';
import type { CopyEnds } from './copy-ends.js';
import { streamRows } from './table-stream.js';

/** Stands for what only the common database knows. */
const ELSEWHERE = `'kept in the common database'`;

/**
 * Shared rows that tenants' rows refer to, and what a dedicated database gets of them; columns that are not named are
 * left empty. The common database has them anyway, and keeps its own, but for the tenant's own row.
 */
const REFERRED: ReadonlyArray<{
  readonly name: string;
  readonly key: string;
  /** Columns, or what is written in their place; without it all as they are. */
  readonly columns?: Readonly<Record<string, string>>;
}> = [
  { name: 'plans', key: 'name' },
  { name: 'tenants', key: 'id' },
  { name: 'operators', key: 'id', columns: { id: 'id', name: 'name' } },
  {
    name: 'accounts',
    key: 'id',
    columns: {
      id: 'id',
      email: 'email',
      password_hash: `case when password_hash is not null then ${ELSEWHERE} end`,
      email_verified_at: 'email_verified_at',
      home_tenant_id: 'home_tenant_id',
      asserted_email: 'asserted_email',
      created_at: 'created_at',
    },
  },
];

/** Brings the shared rows that a tenant's rows refer to along; those that are there already are made the same in a dedicated database. */
export async function copyReferred(ends: CopyEnds): Promise<void> {
  const { source, target, tenantId } = ends;
  const { rows } = await target.query<{ common: boolean }>(`select database is null as common from installation`);
  const isCommon = rows[0]?.common ?? true;
  for (const { name, key, columns } of REFERRED) {
    const given = isCommon || columns === undefined ? await allColumns(source, name) : columns;
    const names = Object.keys(given).map(quoted).join(', ');
    await target.query(
      `create temp table referred on commit drop as select ${names} from ${quoted(name)} with no data`,
    );
    const statement = `copy (select ${Object.values(given).join(', ')} from ${quoted(name)}
      where ${quoted(key)} in (${await referringTo(source, name, tenantId)})) to stdout`;
    await streamRows(source, statement, { client: target, table: 'referred' });
    const changes = Object.keys(given).filter((column) => column !== key);
    const same = changes.map((column) => `${quoted(column)} = r.${quoted(column)}`).join(', ');
    const values = Object.keys(given)
      .map((column) => `r.${quoted(column)}`)
      .join(', ');
    await target.query(`merge into ${quoted(name)} as t using referred as r on t.${quoted(key)} = r.${quoted(key)}
      when matched then ${isCommon && name !== 'tenants' ? 'do nothing' : `update set ${same}`}
      when not matched then insert (${names}) values (${values})`);
    await target.query('drop table referred');
  }
}

async function allColumns(client: Client, table: string): Promise<Record<string, string>> {
  const { rows } = await client.query<{ name: string }>(
    `select attname::text as name from pg_attribute
     where attrelid = $1::regclass and attnum > 0 and not attisdropped and attgenerated = '' order by attname`,
    [quoted(table)],
  );
  return Object.fromEntries(rows.map(({ name }) => [name, quoted(name)]));
}

/** The keys of a table's rows that a tenant's rows name, as SQL. */
async function referringTo(client: Client, table: string, tenantId: string): Promise<string> {
  const tenant = `${client.escapeLiteral(tenantId)}::uuid`;
  if (table === 'tenants') return tenant;
  const { rows } = await client.query<{ name: string; column: string }>(
    `select c.relname as name, a.attname as column from pg_constraint k join pg_class c on c.oid = k.conrelid
     join pg_attribute a on a.attrelid = k.conrelid and a.attnum = k.conkey[1]
     where k.contype = 'f' and k.confrelid = $1::regclass and cardinality(k.conkey) = 1
       and c.relrowsecurity and not c.relispartition order by 1, 2`,
    [quoted(table)],
  );
  const home = table === 'accounts' ? [`select id from accounts where home_tenant_id = ${tenant}`] : [];
  const referring = rows.map(({ name, column }) => {
    const tenantColumn = name === 'tenants' ? 'id' : 'tenant_id';
    return `select ${quoted(column)} from ${quoted(name)} where ${tenantColumn} = ${tenant}`;
  });
  return [...referring, ...home].join(' union ');
}
