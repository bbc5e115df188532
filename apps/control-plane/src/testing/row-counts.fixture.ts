import type { Client } from 'pg';

const statements = new WeakMap<Client, Promise<string>>();

/** How many rows each table has, without the traces of looking; one statement, as it is asked for often. */
export async function rowCounts(owner: Client): Promise<unknown> {
  const statement = statements.get(owner) ?? countStatement(owner);
  statements.set(owner, statement);
  const { rows } = await owner.query({ name: 'row-counts', text: await statement });
  return rows;
}

async function countStatement(owner: Client): Promise<string> {
  const { rows } = await owner.query<{ relname: string }>(
    `select relname from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'`,
  );
  return rows
    .filter(({ relname }) => relname !== 'operator_actions')
    .map(({ relname }) => {
      const where = relname === 'audit_records' ? `where event not in ('api_key.used', 'management.refused')` : '';
      return `select '${relname}' as name, count(*)::int as count from "${relname}" ${where}`;
    })
    .join(' union all ');
}
