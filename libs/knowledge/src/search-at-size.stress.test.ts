import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Database, newId } from '#libs/database';
import { testDatabase, type TestDatabase } from '#libs/testing';
import { Client } from 'pg';
import { DocumentDesk, importDocuments, type DocumentWords, type ServerShelf } from './index.js';

const DOCUMENTS = 10_000;
const BATCH = 500;
const WORDS = 300;
const VOCABULARY = 20_000;
const SEARCHES = 200;
const FILL_MS = 300_000;
const ACTOR = { kind: 'system', id: 'test' } as const;

let home: TestDatabase;
let control: Database;
let gateway: Database;
let shelves: ServerShelf[];

/** Two tenants with ten thousand documents each, so that an index that forgets the tenant would show. */
beforeAll(async () => {
  home = await testDatabase();
  const { databaseUrl, masterKey } = home;
  control = await Database.connect({ databaseUrl, role: 'wharf_control', masterKey, poolSize: 1 });
  gateway = await Database.connect({ databaseUrl, role: 'wharf_gateway', masterKey, poolSize: 1 });
  shelves = ['a', 'b'].map((slug) => ({ tenantId: newId(), serverId: newId(), serverSlug: slug }));
  const started = performance.now();
  for (const shelf of shelves) await fill(shelf);
  process.stdout.write(`importing ${2 * DOCUMENTS} documents: ${Math.round(performance.now() - started)} ms\n`);
  const owner = new Client({ connectionString: databaseUrl });
  await owner.connect();
  await owner.query('vacuum analyze documents');
  await owner.query('vacuum analyze document_words');
  await owner.end();
}, FILL_MS);

afterAll(async () => {
  await control.close();
  await gateway.close();
  await home.drop();
});

async function fill({ tenantId, serverId, serverSlug }: ServerShelf): Promise<void> {
  await control.asTenant(tenantId, async (tx) => {
    await tx.query(`insert into tenants (id, slug, name) values ($1, $2, 'T')`, [tenantId, `t-${serverSlug}`]);
    await tx.query(`insert into servers (tenant_id, id, slug, name) values ($1, $2, $3, 'S')`, [
      tenantId,
      serverId,
      serverSlug,
    ]);
  });
  for (let first = 0; first < DOCUMENTS; first += BATCH) {
    const batch = Array.from({ length: BATCH }, (_, index) => documentOf(first + index));
    await control.asTenant(tenantId, (tx) =>
      importDocuments(tx, { tenantId, serverId, serverSlug }, batch, { actor: ACTOR }),
    );
  }
}

/** Words as languages have them: a few are everywhere, most are rare. */
function documentOf(number: number): DocumentWords {
  const words = Array.from({ length: WORDS }, (_, index) => {
    const random = ((number * 7_919 + index * 104_729) % 99_991) / 99_991;
    return `word${Math.floor(VOCABULARY * random ** 3)}`;
  });
  const text = words.join(' ');
  const collection = `c${number % 5}`;
  return {
    collection,
    name: `n${number}`,
    title: `Title ${number}`,
    tags: [],
    language: 'english',
    media_type: 'text/plain',
    text,
  };
}

test('a search among ten thousand documents uses the index under row-level security', async () => {
  const { tenantId, serverId } = shelves[0] ?? { tenantId: '', serverId: '' };
  const plan = await gateway.asTenant(tenantId, async (tx) => {
    await tx.query(
      `select set_config('app.search', websearch_to_tsquery('english', 'word11000 word12000')::text, true)`,
    );
    const rows: Array<{ 'QUERY PLAN': string }> = await tx.query(
      `explain select document_id from document_words where tenant_id = $1 and server_id = $2`,
      [tenantId, serverId],
    );
    return rows.map((row) => row['QUERY PLAN']).join('\n');
  });
  process.stdout.write(`${plan}\n`);
  expect(plan).toMatch(/Bitmap Index Scan on document_words_search[^]*Index Cond: .*tenant_id = .*search @@/);
});

test('what searches take is written down', async () => {
  const desk = new DocumentDesk(gateway);
  const { tenantId, serverSlug } = shelves[0] ?? { tenantId: '', serverSlug: '' };
  const access = { tenantId, serverSlug, reads: true, writes: false, actor: ACTOR };
  for (const [kind, query] of [
    ['two rare words', (n: number) => `word${9_000 + n} word${12_000 + n}`],
    ['one of two rare words', (n: number) => `word${9_000 + n} or word${12_000 + n}`],
    ['a word that a third of them have', (n: number) => `word${20 + n}`],
  ] as const) {
    const times: number[] = [];
    for (let n = 0; n < SEARCHES; n += 1) {
      const question = Buffer.from(JSON.stringify({ ask: 'search', query: query(n), limit: 8 }));
      const started = performance.now();
      await desk.answer(access, question);
      times.push(performance.now() - started);
    }
    times.sort((left, right) => left - right);
    const [p50, p95] = [0.5, 0.95].map((part) => (times[Math.floor(SEARCHES * part)] ?? 0).toFixed(1));
    process.stdout.write(`${kind}: p50 ${p50} ms, p95 ${p95} ms\n`);
    expect(times).toHaveLength(SEARCHES);
  }
});
