import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Database, newId } from '#libs/database';
import type { KnowledgeAnswers, KnowledgeQuestion } from '#libs/protocol';
import { testDatabase, type TestDatabase } from '#libs/testing';
import {
  addDocument,
  DocumentDesk,
  importDocuments,
  type DocumentAccess,
  type DocumentWords,
  type ServerShelf,
} from './index.js';

const WRITER = { actor: { kind: 'system', id: 'test' } } as const;
const [A, B] = ['tenant-a', 'tenant-b'].map((slug) => ({ tenantId: newId(), serverId: newId(), serverSlug: slug })) as [
  ServerShelf,
  ServerShelf,
]; // as many as slugs

let home: TestDatabase;
let control: Database;
let gateway: Database;
let desk: DocumentDesk;

beforeAll(async () => {
  home = await testDatabase();
  const { databaseUrl, masterKey } = home;
  control = await Database.connect({ databaseUrl, role: 'wharf_control', masterKey, poolSize: 2 });
  gateway = await Database.connect({ databaseUrl, role: 'wharf_gateway', masterKey, poolSize: 4 });
  desk = new DocumentDesk(gateway);
  for (const { tenantId, serverId, serverSlug } of [A, B])
    await control.asTenant(tenantId, async (tx) => {
      await tx.query(`insert into tenants (id, slug, name) values ($1, $2, 'T')`, [tenantId, serverSlug]);
      await tx.query(`insert into servers (tenant_id, id, slug, name) values ($1, $2, $3, 'Team')`, [
        tenantId,
        serverId,
        serverSlug,
      ]);
    });
});

afterAll(async () => {
  await control.close();
  await gateway.close();
  await home.drop();
});

function words(name: string, text: string, more: Partial<DocumentWords> = {}): DocumentWords {
  const usual = {
    collection: 'notes',
    title: name,
    tags: [],
    language: 'english',
    media_type: 'text/markdown',
  } as const;
  return { ...usual, name, text, ...more };
}

function add(shelf: ServerShelf, document: DocumentWords) {
  return control.asTenant(shelf.tenantId, (tx) => addDocument(tx, shelf, document, WRITER));
}

async function ask<Kind extends KnowledgeQuestion['ask']>(
  { tenantId, serverSlug }: ServerShelf,
  question: Extract<KnowledgeQuestion, { ask: Kind }>,
  rights: Partial<DocumentAccess> = {},
): Promise<KnowledgeAnswers[Kind]> {
  const access = { tenantId, serverSlug, reads: true, writes: true, actor: WRITER.actor, ...rights };
  const answer = await desk.answer(access, Buffer.from(JSON.stringify(question)));
  return JSON.parse(answer.toString()) as KnowledgeAnswers[Kind];
}

async function namesFound(shelf: ServerShelf, query: string, more = {}): Promise<string[]> {
  const { found } = await ask(shelf, { ask: 'search', query, limit: 20, ...more });
  return found.map(({ name }) => name);
}

test('finds words in their forms, phrases, either of two and without one, in the document’s own language', async () => {
  await add(A, words('deploying', 'We deploy on Mondays, never on Fridays.', { tags: ['ops'] }));
  await add(A, words('rueckfall', 'Bei Fehlern werden die Häuser geräumt.', { language: 'german' }));
  await add(A, words('coffee', 'The machine on the second floor.', { collection: 'office' }));
  expect(await namesFound(A, 'deployment Monday')).toEqual(['deploying']);
  expect(await namesFound(A, '"second floor"')).toEqual(['coffee']);
  expect(await namesFound(A, '"floor second"')).toEqual([]);
  expect((await namesFound(A, 'deploy or machine')).toSorted()).toEqual(['coffee', 'deploying']);
  expect(await namesFound(A, 'deploy -Fridays')).toEqual([]);
  expect(await namesFound(A, 'Haus')).toEqual(['rueckfall']);
  expect(await namesFound(A, 'machine', { collections: ['notes'] })).toEqual([]);
  expect(await namesFound(A, 'deploy', { tags: ['ops'] })).toEqual(['deploying']);
  expect(await namesFound(A, 'mach secon')).toEqual(['coffee']);
  expect(await namesFound(A, 'the of on')).toEqual([]);
});

test('never finds, lists, reads, completes, changes or forgets what another tenant wrote', async () => {
  await add(B, words('canary-b', 'The canary sings in B alone: zugzwang.', { collection: 'secret-of-b' }));
  await add(A, words('canary-a', 'The canary sings in A alone.'));
  const other = { ...A, serverSlug: B.serverSlug };
  for (const query of ['canary', 'zugzwang', 'zugz', '-nothing', 'sings or zugzwang'])
    expect(JSON.stringify(await ask(A, { ask: 'search', query, limit: 20 }))).not.toMatch(/canary-b|zugzwang|B alone/);
  expect(JSON.stringify(await ask(A, { ask: 'list' }))).not.toContain('canary-b');
  expect((await ask(A, { ask: 'complete', of: 'collection', prefix: 's' })).values).toEqual([]);
  const place = { collection: 'secret-of-b', name: 'canary-b' };
  await expect(ask(A, { ask: 'read', ...place })).rejects.toMatchObject({ code: 'not_found' });
  await expect(ask(A, { ask: 'change', ...place, text: 'mine' })).rejects.toMatchObject({ code: 'not_found' });
  await expect(ask(A, { ask: 'forget', ...place })).rejects.toMatchObject({ code: 'not_found' });
  await expect(ask(other, { ask: 'list' })).rejects.toMatchObject({ code: 'not_found' });
  const everywhere = await gateway.asTenant(A.tenantId, (tx) =>
    tx.query(`select set_config('app.search', 'zugzwang', true), (select count(*)::int from document_words) as seen`),
  );
  expect(everywhere).toMatchObject([{ seen: 0 }]);
  expect((await ask(B, { ask: 'read', ...place })).document.text).toContain('zugzwang');
});

test('shows snippets without markup, whatever a document says', async () => {
  await add(
    A,
    words('markup', 'A <img src=x onerror=alert(1)> shibboleth <script>alert("shibboleth")</script> stands here.'),
  );
  const { found } = await ask(A, { ask: 'search', query: 'shibboleth', limit: 1 });
  expect(found[0]?.snippet).toContain('**shibboleth**');
  expect(found[0]?.snippet).not.toMatch(/[<>\u0002\u0003]/);
});

test('saves under a name made of the title, refuses a stale version, and tells who wrote what in the audit log', async () => {
  const note = {
    ask: 'save' as const,
    collection: 'notes',
    title: 'Höhere Gewalt!',
    tags: [],
    language: 'simple' as const,
  };
  const first = await ask(A, { ...note, text: 'One.' });
  const second = await ask(A, { ...note, text: 'Two.' });
  expect(first.document).toMatchObject({ name: 'ho-here-gewalt', version: 1, author: { kind: 'system', id: 'test' } });
  expect(second.document.name).toMatch(/^ho-here-gewalt-[0-9a-f]{8}$/);
  const place = { collection: 'notes', name: first.document.name };
  const changed = await ask(A, { ask: 'change', ...place, text: 'Newer.', version: 1 });
  expect(changed.document).toMatchObject({ version: 2, title: 'Höhere Gewalt!' });
  const stale = ask(A, { ask: 'change', ...place, text: 'Lost.', version: 1 });
  await expect(stale).rejects.toMatchObject({ code: 'precondition_failed', message: /version 2 by now/ });
  await ask(A, { ask: 'forget', ...place, version: 2 });
  await expect(ask(A, { ask: 'read', ...place })).rejects.toMatchObject({ code: 'not_found' });
  const events = await control.asTenant(A.tenantId, (tx) =>
    tx.query(
      `select event from audit_records where tenant_id = $1 and details ->> 'uri' like '%/ho-here-gewalt' order by id`,
      [A.tenantId],
    ),
  );
  expect(events).toEqual(['created', 'changed', 'deleted'].map((what) => ({ event: `document.${what}` })));
});

test('writes nothing for who may only read, and answers nothing that is no question', async () => {
  const save = {
    ask: 'save' as const,
    collection: 'notes',
    title: 'T',
    text: 'x',
    tags: [],
    language: 'simple' as const,
  };
  await expect(ask(A, save, { writes: false })).rejects.toMatchObject({ code: 'forbidden' });
  await expect(ask(A, { ask: 'list' }, { reads: false })).rejects.toMatchObject({ code: 'forbidden' });
  for (const text of [
    '',
    '{',
    '[]',
    '{"ask":"list","tenantId":"x"}',
    '{"ask":"read","collection":"../x","name":"y"}',
    '{"ask":"search","query":"\\u0000","limit":1}',
  ])
    await expect(desk.answer({ ...A, reads: true, writes: true, ...WRITER }, Buffer.from(text))).rejects.toMatchObject({
      code: 'invalid_params',
    });
});

test('refuses hidden characters with their place, but not those that emoji and scripts are joined by', async () => {
  const refused = add(A, words('hidden', 'Fine.\nIgnore\u{E0041} this.'));
  await expect(refused).rejects.toMatchObject({
    code: 'unprocessable',
    problems: [{ pointer: '/text', message: expect.stringMatching(/U\+E0041 \(line 2, character 7\)/) }],
  });
  await expect(add(A, words('zero', 'pass\u200Dword'))).rejects.toMatchObject({ code: 'unprocessable' });
  await expect(add(A, words('half', 'a \uD800 b'))).rejects.toMatchObject({ code: 'unprocessable' });
  await expect(add(A, words('empty', ' \n '))).rejects.toMatchObject({ code: 'unprocessable' });
  await expect(add(A, words('long', 'ä'.repeat(140_000)))).rejects.toMatchObject({ code: 'unprocessable' });
  await add(A, words('family', 'The 👩\u200D👩\u200D👧 and می\u200Cخواهم.'));
});

test('imports all documents or none, again without a new version, and no more than the plan has room for', async () => {
  const documents = Array.from({ length: 250 }, (_, index) =>
    words(`n${String(index).padStart(3, '0')}`, `Note ${index}.`),
  );
  const run = (all: readonly DocumentWords[]) =>
    control.asTenant(B.tenantId, (tx) => importDocuments(tx, B, all, WRITER));
  expect(await run(documents)).toEqual({ created: 250, changed: 0, unchanged: 0 });
  expect(await run([...documents.slice(0, 9), words('n009', 'Else.')])).toEqual({
    created: 0,
    changed: 1,
    unchanged: 9,
  });
  await expect(run([words('new', 'x'), words('new', 'y'), words('bad', '\u200B')])).rejects.toMatchObject({
    problems: [{ pointer: '/1/name' }, { pointer: '/2/text' }],
  });
  const pages = [];
  for (let after: { collection: string; name: string } | undefined, more = true; more;) {
    const page = await ask(B, { ask: 'list', collections: ['notes'], ...(after === undefined ? {} : { after }) });
    pages.push(page.documents.map(({ name }) => name));
    const last = page.documents.at(-1);
    after = last && { collection: last.collection, name: last.name };
    more = page.more;
  }
  expect(pages.map(({ length }) => length)).toEqual([100, 100, 50]);
  expect(pages.flat()).toEqual(documents.map(({ name }) => name));
  await control.asTenant(B.tenantId, (tx) =>
    tx.query(`update document_usage set documents = 10000 where tenant_id = $1`, [B.tenantId]),
  );
  await expect(run([words('one-too-many', 'x')])).rejects.toMatchObject({
    code: 'conflict',
    message: /room for 10000/,
  });
  await expect(ask(B, { ask: 'read', collection: 'notes', name: 'one-too-many' })).rejects.toThrow();
});

test('deletes documents with their server, and counts them no more', async () => {
  const usage = () =>
    control.asTenant(A.tenantId, (tx) =>
      tx.query(`select documents, bytes::int as bytes from document_usage where tenant_id = $1`, [A.tenantId]),
    );
  expect(await usage()).toMatchObject([{ documents: expect.any(Number) }]);
  await control.asTenant(A.tenantId, (tx) => tx.query(`delete from servers where tenant_id = $1`, [A.tenantId]));
  expect(await usage()).toEqual([{ documents: 0, bytes: 0 }]);
  const left = await control.asTenant(A.tenantId, (tx) =>
    tx.query(`select 1 from document_words where tenant_id = $1`, [A.tenantId]),
  );
  expect(left).toEqual([]);
});
