import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { newId } from '#libs/database';
import { startControlPlane, type ControlPlane, type TestTenant } from '../testing/control-plane.fixture.js';
import { TOOL_SOURCE } from '../testing/route-examples.fixture.js';

let api: ControlPlane;
let tenant: TestTenant;

beforeAll(async () => {
  api = await startControlPlane({ runtime: true });
  tenant = await api.newTenant();
});

afterAll(() => api.stop());

const upload = (body: string | Uint8Array, type = 'application/octet-stream', of = tenant) =>
  api.send('POST', '/v1/artefacts', { key: of.key, headers: { 'content-type': type }, body });
const list = (of: TestTenant, query = '') => api.send('GET', `/v1/artefacts${query}`, { key: of.key });
const remove = (of: TestTenant, digest: string) => api.send('DELETE', `/v1/artefacts/${digest}`, { key: of.key });
const digestsOf = (answer: { body: { artefacts: Array<{ digest: string }> } }): string[] =>
  answer.body.artefacts.map(({ digest }) => digest);

async function newRelease(of: TestTenant, server: string): Promise<string> {
  await api.send('POST', '/v1/servers', { key: of.key, body: { slug: server, name: 'S' } });
  const sent = { key: of.key, body: { source: TOOL_SOURCE } };
  return (await api.send('POST', `/v1/servers/${server}/releases`, sent)).body.release.digest;
}

test('bytes are stored under their SHA-256, as often as they are sent', async () => {
  const content = randomBytes(3_000_000);
  const digest = `sha256:${createHash('sha256').update(content).digest('hex')}`;
  for (let times = 0; times < 2; times += 1) {
    expect(await upload(content)).toMatchObject({
      status: 201,
      body: { digest, bytes: 3_000_000, media_type: 'application/octet-stream' },
    });
  }
});

test('more than 32 MiB is 413, and another content type 415', async () => {
  expect((await upload(Buffer.alloc(32 * 1024 * 1024 + 1))).status).toBe(413);
  expect((await upload('<x/>', 'text/html')).status).toBe(415);
});

test('documents are listed in pages, with what is stored in all', async () => {
  const owner = await api.newTenant();
  const uploaded = [];
  for (const text of ['one', 'two', 'three']) uploaded.push((await upload(text, undefined, owner)).body.digest);
  await newRelease(owner, 'shop');
  const first = await list(owner, '?limit=2');
  const second = await list(owner, `?limit=2&cursor=${first.body.next_cursor}`);
  expect([...digestsOf(first), ...digestsOf(second)]).toEqual(uploaded.toSorted());
  expect([digestsOf(second), second.body.next_cursor]).toEqual([[uploaded.toSorted()[2]], null]);
  expect(first.body.artefacts[0]).toMatchObject({ media_type: 'application/octet-stream', bytes: expect.any(Number) });
  expect(first.body.stored_bytes).toBeGreaterThan('onetwothree'.length);
  expect(digestsOf(await list(await api.newTenant()))).toEqual([]);
});

test('a deleted document is gone, the deletion is recorded, and the same bytes can be stored again', async () => {
  const owner = await api.newTenant();
  const { digest } = (await upload('brief', undefined, owner)).body;
  const other = await api.newTenant();
  await upload('brief', undefined, other);
  expect((await remove(owner, digest)).status).toBe(204);
  expect((await remove(owner, digest)).status).toBe(404);
  expect((await list(owner)).body).toMatchObject({ artefacts: [], stored_bytes: 0 });
  expect(digestsOf(await list(other))).toEqual([digest]);
  const audit = await api.send('GET', `/v1/audit?target=artefact:${digest}`, { key: owner.key });
  expect(audit.body.records.map(({ event }: { event: string }) => event)).toEqual([
    'artefact.deleted',
    'artefact.uploaded',
  ]);
  expect((await upload('brief', undefined, owner)).status).toBe(201);
});

test('a tenant that has stored what it may stores neither documents nor releases until it deletes some', async () => {
  const owner = await api.newTenant();
  const full = `sha256:${'0'.repeat(64)}`;
  await api.control.asTenant(owner.id, (tx) =>
    tx.query(
      `insert into blobs (tenant_id, digest, media_type, bytes, content) values ($1, $2, 'text/plain', $3, '')`,
      [owner.id, full, 1024 * 1024 * 1024],
    ),
  );
  await api.send('POST', '/v1/servers', { key: owner.key, body: { slug: 'shop', name: 'S' } });
  const build = () => api.send('POST', '/v1/servers/shop/releases', { key: owner.key, body: { source: TOOL_SOURCE } });
  expect([(await upload('more', undefined, owner)).status, (await build()).status]).toEqual([409, 409]);
  expect((await remove(owner, full)).status).toBe(204);
  expect([(await upload('more', undefined, owner)).status, (await build()).status]).toEqual([201, 201]);
});

describe('what a release is made of', () => {
  const stored = (of: TestTenant): Promise<Array<{ digest: string }>> =>
    api.control.asTenant(of.id, (tx) => tx.query(`select digest from blobs order by digest`));

  test('is no document: it is not listed, and cannot be deleted', async () => {
    const owner = await api.newTenant();
    const digest = await newRelease(owner, 'shop');
    expect(digestsOf(await list(owner))).toEqual([]);
    expect(await remove(owner, digest)).toMatchObject({ status: 409, body: { code: 'conflict' } });
    expect(await stored(owner)).toEqual([{ digest }]);
  });

  test('goes with its server, and stays while a release of another server is made of it too', async () => {
    const owner = await api.newTenant();
    const [kept, freed] = [await newRelease(owner, 'kept'), await newRelease(owner, 'freed')];
    await api.control.asTenant(owner.id, (tx) =>
      tx.query(
        `insert into releases (tenant_id, id, server_id, number, kind, digest, state, report, created_by, tools)
         select tenant_id, $1, (select id from servers where slug = 'freed'), 2, kind, digest, state, report, created_by, tools
         from releases where digest = $2`,
        [newId(), kept],
      ),
    );
    await upload('document', undefined, owner);
    const before = await stored(owner);
    expect((await api.send('DELETE', '/v1/servers/freed', { key: owner.key })).status).toBe(204);
    expect(await stored(owner)).toEqual(before.filter(({ digest }) => digest !== freed));
    expect((await api.send('DELETE', '/v1/servers/kept', { key: owner.key })).status).toBe(204);
    expect(await stored(owner)).toEqual(before.filter(({ digest }) => digest !== freed && digest !== kept));
  });

  test('is not lost to a server that is deleted while another builds the same', async () => {
    const owner = await api.newTenant();
    await newRelease(owner, 'lasting');
    for (let round = 0; round < 5; round += 1) {
      await newRelease(owner, 'passing');
      const [, built] = await Promise.all([
        api.send('DELETE', '/v1/servers/passing', { key: owner.key }),
        api.send('POST', '/v1/servers/lasting/releases', { key: owner.key, body: { source: TOOL_SOURCE } }),
      ]);
      expect(built.status).toBe(201);
    }
  });
});
