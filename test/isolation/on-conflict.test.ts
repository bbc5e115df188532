import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { testDatabase, type TestDatabase } from '#libs/testing';
import { Client } from 'pg';

/**
 * PostgreSQL before 18.7 shows rows that row-level security hides through ON CONFLICT (CVE-2026-120154), where a
 * proposed row can conflict with another tenant's. It cannot while the conflict's target starts with the tenant; see
 * docs/decisions/postgresql-version.md.
 */
const FOLDERS = ['apps', 'libs', 'migrations', 'scripts', 'bin', 'test'];
const ITSELF = path.join('test', 'isolation', 'on-conflict.test.ts');
const CLAUSE = /\bon\s+conflict\s*(\([^)]*\)|on\s+constraint\s+\w+|(?=do\b))/gi;
const TABLE = /\binsert\s+into\s+(?:public\.)?"?(\w+)"?/gi;
/** TypeORM writes such clauses with targets of its own choice. */
const BUILDERS = /\btx\.upsert\s*\(|\.(?:orIgnore|orUpdate|onConflict)\s*\(/g;

let database: TestDatabase;
/** The tenant's column of every tenant table. */
let columns: Map<string, string>;

beforeAll(async () => {
  database = await testDatabase();
  const client = new Client({ connectionString: database.databaseUrl });
  await client.connect();
  const { rows } = await client.query<{ name: string }>(
    `select relname as name from pg_class where relkind in ('r', 'p') and relnamespace = 'public'::regnamespace and relrowsecurity`,
  );
  await client.end();
  columns = new Map(rows.map(({ name }) => [name, name === 'tenants' ? 'id' : 'tenant_id']));
});
afterAll(() => database?.drop());

function sources(): string[] {
  return FOLDERS.flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .map((file) => path.join(folder, file))
      .filter((file) => /\.(ts|mjs|sql)$/.test(file) && !file.includes('node_modules') && file !== ITSELF),
  );
}

/** Where a text may conflict with a row of another tenant: each place with its table and target. */
function openTargets(text: string): string[] {
  const clauses = [...text.matchAll(CLAUSE)].flatMap((clause) => {
    const table = [...text.slice(0, clause.index).matchAll(TABLE)].at(-1)?.[1] ?? 'a table that is not named';
    const target = clause[1] ?? '';
    if (!columns.has(table) && table !== 'a table that is not named') return [];
    const first = /^\(\s*"?(\w+)"?\s*[,)]/.exec(target)?.[1];
    return first !== undefined && first === columns.get(table) ? [] : [`${table} ${target}`.trim()];
  });
  return [...clauses, ...[...text.matchAll(BUILDERS)].map(([call]) => call)];
}

test('no statement on a tenant table has a conflict target that does not start with the tenant', () => {
  const files = sources();
  expect(files.length).toBeGreaterThan(300);
  const found = files.flatMap((file) => openTargets(readFileSync(file, 'utf8')).map((target) => `${file}: ${target}`));
  expect(found).toEqual([]);
});

test.each([
  ['another column first', 'insert into blobs (tenant_id, digest) values ($1, $2) on conflict (digest) do nothing'],
  ['no target', 'INSERT INTO servers (id) VALUES (1)\n ON CONFLICT DO NOTHING'],
  ['a constraint', 'insert into servers (id) values (1) on conflict on constraint servers_slug_key do nothing'],
  ['a table that is not named', 'insert into ${table} (id) values (1) on conflict (id) do nothing'],
  ['the slug of tenants', 'insert into tenants (id, slug) values ($1, $2) on conflict (slug) do update set name = $3'],
  ['a query builder', 'tx.createQueryBuilder().insert().into(Blob).orIgnore()'],
])('finds a statement with %s', (_, statement) => expect(openTargets(statement)).toHaveLength(1));

test.each([
  'insert into blobs (tenant_id, digest) values ($1, $2) on conflict (tenant_id, digest) do nothing',
  'insert into operators (id) values ($1) on conflict (key_hash) do nothing',
])('lets be: %s', (statement) => expect(openTargets(statement)).toEqual([]));
