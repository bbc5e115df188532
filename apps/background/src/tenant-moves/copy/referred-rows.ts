import type { Client } from 'pg';
import { quoted } from '#libs/tenant-archive';
import type { CopyEnds } from './copy-ends.js';
import { CopyRefused } from './copy-refused.js';
import { streamRows } from './table-stream.js';
import { freeTakenAddresses, refuseTakenAddresses } from './taken-addresses.js';

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
      // One comes with an address; the hash itself is not for who moves tenants.
      password_hash: `case when email is not null then ${ELSEWHERE} end`,
      email_verified_at: 'email_verified_at',
      home_tenant_id: 'home_tenant_id',
      asserted_email: 'asserted_email',
      created_at: 'created_at',
    },
  },
];

/** What operators write: the common database has it before any tenant's rows name it. */
const OF_THE_COMMON: ReadonlySet<string> = new Set(['plans', 'operators']);

/**
 * Brings the shared rows that a tenant's rows refer to along; those that are there already are made the same in a dedicated
 * database. The common one has plans and operators of its own. Returns people who lose their address to another account.
 * @throws CopyRefused where it does not have one that a tenant's rows name
 */
export async function copyReferred(ends: CopyEnds): Promise<string[]> {
  const { source, target } = ends;
  const { rows } = await target.query<{ common: boolean }>(`select database is null as common from installation`);
  const isCommon = rows[0]?.common ?? true;
  const unaddressed: string[] = [];
  for (const referred of REFERRED) {
    const { name, key, columns } = referred;
    const given =
      isCommon && OF_THE_COMMON.has(name) ? { [key]: quoted(key) } : (columns ?? (await allColumns(source, name)));
    const names = Object.keys(given).map(quoted).join(', ');
    await target.query(
      `create temp table referred on commit drop as select ${names} from ${quoted(name)} with no data`,
    );
    const statement = `copy (select ${Object.values(given).join(', ')} from ${quoted(name)}
      where ${quoted(key)} in (${await referringTo(source, name, ends.tenantId)})) to stdout`;
    await streamRows(source, statement, { client: target, table: 'referred' });
    if (name === 'accounts' && isCommon) unaddressed.push(...(await freeTakenAddresses(target)));
    if (name === 'accounts' && !isCommon) await refuseTakenAddresses(target);
    if (isCommon && OF_THE_COMMON.has(name)) await refuseMissing(target, name, key);
    else await mergeReferred(target, name, key, Object.keys(given), isCommon ? 'keep' : 'make the same');
    await target.query('drop table referred');
  }
  return unaddressed;
}

async function refuseMissing(target: Client, name: string, key: string): Promise<void> {
  const { rows } = await target.query<{ missing: string }>(
    `select ${quoted(key)}::text as missing from referred except select ${quoted(key)}::text from ${quoted(name)} limit 1`,
  );
  if (rows[0] !== undefined)
    throw new CopyRefused(
      `The tenant’s rows name ${rows[0].missing} of ${name}, which the common database does not have. Restore it there, then ask for the move again.`,
    );
}

/** The tenant's own row is the true one where it comes from. */
async function mergeReferred(
  target: Client,
  name: string,
  key: string,
  columns: readonly string[],
  those: 'keep' | 'make the same',
): Promise<void> {
  const same = columns
    .filter((column) => column !== key)
    .map((column) => `${quoted(column)} = r.${quoted(column)}`)
    .join(', ');
  await target.query(`merge into ${quoted(name)} as t using referred as r on t.${quoted(key)} = r.${quoted(key)}
    when matched then ${those === 'keep' && name !== 'tenants' ? 'do nothing' : `update set ${same}`}
    when not matched then insert (${columns.map(quoted).join(', ')})
      values (${columns.map((column) => `r.${quoted(column)}`).join(', ')})`);
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
