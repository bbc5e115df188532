import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { newId } from '#libs/database';
import { canonicalJson, sha256Digest } from '#libs/protocol';
import { until } from '#libs/testing';
import { publishBundle } from '../bundle.fixture.js';
import { GatewayUnderTest, type TenantUnderTest } from '../gateway.fixture.js';
import { modern, send } from '../requests.fixture.js';

let gateway: GatewayUnderTest;
let acme: TenantUnderTest;

beforeAll(async () => {
  gateway = await GatewayUnderTest.start();
  acme = await gateway.tenant('acme', { find: 'https://api.example.com/find' }, 'scale');
});

afterAll(() => gateway.stop());

/** A shared memory with the one tool that writes. */
async function publishMemory(slug: string): Promise<void> {
  const remember = {
    does: 'remember',
    name: 'remember',
    description: 'Saves.',
    inputSchema: { type: 'object', properties: { title: { type: 'string' }, text: { type: 'string' } } },
    annotations: { readOnlyHint: false },
  };
  const knowledge = { language: 'simple', memory: true };
  const shared = { version: 1, kind: 'knowledge', server: { name: slug }, origins: [], credentials: [] };
  const bytes = Buffer.from(canonicalJson({ ...shared, knowledge, tools: [remember] }));
  const [digest, serverId, releaseId] = [sha256Digest(bytes), newId(), newId()];
  await gateway.control.asTenant(acme.id, async (tx) => {
    await tx.query(
      `insert into blobs (tenant_id, digest, media_type, bytes, content) values ($1, $2, 'application/json', $3, $4)`,
      [acme.id, digest, bytes.length, bytes],
    );
    await tx.query(`insert into servers (tenant_id, id, slug, name, writes) values ($1, $2, $3, $3, true)`, [
      acme.id,
      serverId,
      slug,
    ]);
    await tx.query(
      `insert into releases (tenant_id, id, server_id, number, kind, digest, state, report, created_by, tools)
       values ($1, $2, $3, 1, 'knowledge', $4, 'live', '{}', '{}', '{"remember": "write"}')`,
      [acme.id, releaseId, serverId, digest],
    );
    await tx.query(`update servers set live_release_id = $3 where tenant_id = $1 and id = $2`, [
      acme.id,
      serverId,
      releaseId,
    ]);
  });
}

async function ask(url: string, method: string, params: Record<string, unknown> = {}, key = acme.key) {
  const { headers, body } = modern(method, params);
  return (await send(url, { headers: { ...headers, authorization: `Bearer ${key}` }, body })).json.result;
}

/** Asks until the answer is one from before, whose time has begun to run. */
async function keptAnswer(url: string, method: string, ttlMs: number) {
  let answer = await ask(url, method);
  expect(answer).toMatchObject({ cacheScope: 'private' });
  while (answer.ttlMs === ttlMs) answer = await ask(url, method);
  expect(answer.ttlMs).toBeLessThan(ttlMs);
  return answer;
}

test('the tools of a bundle, and of a route with one in it, are listed from before', async () => {
  await publishBundle(gateway, acme.id, 'packed', 'legacy');
  const own = await keptAnswer(acme.serverUrl.replace('/orders/', '/packed/'), 'tools/list', 60_000);
  expect(own.tools).toHaveLength(4);
  const all = await keptAnswer(acme.url, 'tools/list', 60_000);
  expect(all.tools.map(({ name }: { name: string }) => name)).toContain('packed__ask');
  await keptAnswer(acme.url, 'server/discover', 60_000);
});

test('documents are listed from before until one is written, by whomever', async () => {
  await publishMemory('team');
  const url = acme.serverUrl.replace('/orders/', '/team/');
  await until(async () => (await ask(url, 'tools/list')) !== undefined, 'the gateway hears of the new server');
  const save = (title: string, key = acme.key) =>
    ask(url, 'tools/call', { name: 'remember', arguments: { title, text: 'x' } }, key);
  const titles = (answer: { resources: Array<{ title: string }> }): string[] =>
    answer.resources.map(({ title }) => title);
  expect(await save('one')).not.toMatchObject({ isError: true });
  expect(titles(await keptAnswer(url, 'resources/list', 5_000))).toEqual(['one']);
  await save('two');
  expect(titles(await ask(url, 'resources/list'))).toEqual(['one', 'two']);
  await keptAnswer(url, 'resources/list', 5_000);
  await gateway.control.asTenant(acme.id, (tx) => tx.query(`delete from documents where tenant_id = $1`, [acme.id]));
  while ((await ask(url, 'resources/list')).resources.length > 0);
  await keptAnswer(url, 'resources/templates/list', 60_000);
});
