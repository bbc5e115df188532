import { Controller, Get, Module } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { NestFactory } from '@nestjs/core';
import { Public } from '../access/permissions.js';
import { startControlPlane, type ControlPlane, type TestTenant } from '../testing/control-plane.fixture.js';
import { isForPeople } from '../testing/member-examples.fixture.js';
import { ROUTE_EXAMPLES } from '../testing/route-examples.fixture.js';
import type { MakeExample } from '../testing/example.fixture.js';
import { ContractModule } from './contract.module.js';
import { Contract, contract } from './contract.js';

let api: ControlPlane;
let tenant: TestTenant;

beforeAll(async () => {
  api = await startControlPlane({ runtime: true, dedicated: true });
  tenant = await api.newTenant();
  const key = api.operatorKey;
  const { limits } = (await api.send('GET', `/admin/v1/tenants/${tenant.slug}/limits`, { key })).body;
  const roomy = { limits: { ...limits, servers_max: 100 }, reason: 'room' };
  await api.send('PUT', `/admin/v1/tenants/${tenant.slug}/limits`, { key, body: roomy });
});

afterAll(() => api?.stop());

const send = (method: string, path: string, body?: unknown, tag?: string) =>
  api.send(method, path, {
    key: tenant.key,
    ...(body === undefined ? {} : { body }),
    ...(tag === undefined ? {} : { headers: { 'if-match': tag } }),
  });

async function exampleOf(name: string): Promise<Awaited<ReturnType<MakeExample>>> {
  const make: MakeExample | undefined = ROUTE_EXAMPLES[name];
  if (make === undefined) throw new Error(`${name} has no example`);
  return make(api, tenant);
}

const WEBHOOK = { mode: 'each', name: 'W', url: 'https://example.com/hook', events: ['*'] };
const CLIENT = { kind: 'machine', name: 'M' };

/** Each thing that can be changed: how it is made, where it is then, and a change of it. */
const THINGS: ReadonlyArray<readonly [string, () => Promise<string>, (n: number) => object]> = [
  ['server', async () => newServer(), (n) => ({ tool_groups: { [`g${n}`]: ['t'] } })],
  ['client', async () => `/v1/clients/${(await send('POST', '/v1/clients', CLIENT)).body.client.client_id}`, named],
  ['webhook', async () => `/v1/webhooks/${(await send('POST', '/v1/webhooks', WEBHOOK)).body.webhook.id}`, named],
];

function named(n: number): object {
  return { name: `name ${n}` };
}

let servers = 0;
async function newServer(): Promise<string> {
  servers += 1;
  const { body } = await send('POST', '/v1/servers', { slug: `s${servers}`, name: 'S' });
  return `/v1/servers/${body.slug}`;
}

describe.each(THINGS)('a %s', (_, make, change) => {
  test('is changed by whoever knows it as it is, and by nobody else', async () => {
    const path = await make();
    const tag = (await send('GET', path)).headers.get('etag') ?? '';
    expect(tag).toMatch(/^"[\w-]{27}"$/);
    const changed = await send('PATCH', path, change(1), tag);
    expect(changed.status).toBe(200);
    const late = await send('PATCH', path, change(2), tag);
    expect([late.status, late.body.code]).toEqual([412, 'precondition_failed']);
    expect((await send('DELETE', path, undefined, tag)).status).toBe(412);
    const now = await send('GET', path);
    expect([now.headers.get('etag'), now.body]).toEqual([changed.headers.get('etag'), changed.body]);
    expect((await send('PATCH', path, change(3))).status).toBe(200);
    expect((await send('PATCH', path, change(4), `"other", ${now.headers.get('etag')}`)).status).toBe(412);
    expect((await send('DELETE', path, undefined, '*')).status).toBe(204);
  });
});

test('of many who change what they all read, one does', async () => {
  const path = await newServer();
  const tag = (await send('GET', path)).headers.get('etag') ?? '';
  const answers = await Promise.all(
    [1, 2, 3, 4].map((n) => send('PATCH', path, { tool_groups: { [`g${n}`]: ['t'] } }, tag)),
  );
  expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 412, 412, 412]);
});

test('a secret is written by whoever knows its version; what is not there is known by nobody', async () => {
  const path = '/v1/secrets/token';
  const write = (tag?: string) => send('PUT', path, { value: 'v' }, tag);
  expect((await write('*')).status).toBe(412);
  const first = await write();
  expect((await send('GET', path)).headers.get('etag')).toBe(first.headers.get('etag'));
  expect((await write(first.headers.get('etag') ?? '')).body.version).toBe(2);
  expect((await write(first.headers.get('etag') ?? '')).status).toBe(412);
  expect((await send('DELETE', path, undefined, first.headers.get('etag') ?? '')).status).toBe(412);
});

test('what is not there is made under If-None-Match, by one of many', async () => {
  const path = '/v1/secrets/made-once';
  const make = () =>
    api.send('PUT', path, { key: tenant.key, body: { value: 'v' }, headers: { 'if-none-match': '*' } });
  const answers = await Promise.all([make(), make(), make()]);
  expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 412, 412]);
  expect((await send('GET', path)).body.version).toBe(1);
});

test('refuses If-None-Match where nothing would be compared, and one that is malformed', async () => {
  const headers = (tags: string) => ({ key: tenant.key, headers: { 'if-none-match': tags } });
  const answers = [
    await api.send('POST', '/v1/servers', { ...headers('*'), body: { slug: 'never', name: 'N' } }),
    await api.send('PUT', '/v1/secrets/never', { ...headers('no quotes'), body: { value: 'v' } }),
  ];
  for (const { status, body } of answers) {
    expect([status, body.errors[0].pointer]).toEqual([400, '/headers/if-none-match']);
  }
});

test.each(['no quotes', '"open', ''])('refuses If-Match %j', async (tag) => {
  expect((await send('PATCH', await newServer(), { writes: true }, tag)).status).toBe(400);
});

test('refuses If-Match where nothing would be compared', async () => {
  const answer = await send('POST', '/v1/servers', { slug: 'never', name: 'N' }, '"x"');
  expect([answer.status, answer.body.errors[0].pointer]).toEqual([400, '/headers/if-match']);
});

const UPDATES = Object.keys(ROUTE_EXAMPLES).filter((name) => {
  const [method = '', pattern] = name.split(' ');
  // Flags are changed one at a time in the body of a request to their list, which as a list has no tag.
  return /PUT|PATCH/.test(method) && `GET ${pattern}` in ROUTE_EXAMPLES && !name.endsWith('/feature-flags');
});

test.each(UPDATES)('%s compares what it changes, and answers the tag that reading it then gives', async (name) => {
  const { path, status, headers: { 'if-match': _, ...headers } = {}, ...sent } = await exampleOf(name);
  const person = isForPeople(name) ? await api.tokenOf(tenant, tenant.ownerId) : tenant.key;
  const key = name.includes(' /admin/') ? api.operatorKey : person;
  const method = name.split(' ')[0] ?? '';
  const update = (tag: string) => api.send(method, path, { ...sent, key, headers: { ...headers, 'if-match': tag } });
  const before = await api.send('GET', path, { key });
  const stale = await update('"what-it-was-long-ago"');
  expect([stale.status, stale.body.code]).toEqual([412, 'precondition_failed']);
  expect(stale.body.title).toContain('Read it again');
  expect((await api.send('GET', path, { key })).headers.get('etag')).toBe(before.headers.get('etag'));
  const tag = before.headers.get('etag');
  const changed = tag === null ? await api.send(method, path, { ...sent, key, headers }) : await update(tag);
  expect([changed.status, changed.status === status ? '' : changed.text]).toEqual([status, '']);
  const after = await api.send('GET', path, { key });
  expect([before.status === 404 || tag !== null, changed.headers.get('etag')]).toEqual([
    true,
    after.headers.get('etag'),
  ]);
  const under = (tags: string) => api.send('GET', path, { key, headers: { 'if-none-match': tags } });
  const tagNow = after.headers.get('etag') ?? '';
  for (const tags of [tagNow, `W/${tagNow}`, `"other", ${tagNow}`, '*']) {
    const same = await under(tags);
    expect([tags, same.status, same.text, same.headers.get('etag')]).toEqual([tags, 304, '', tagNow]);
  }
  expect([(await under('"other"')).status, (await under('')).status]).toEqual([200, 200]);
  const present = name.endsWith('/people') ? { 'if-match': tagNow } : {};
  const anew = (tags: string) =>
    api.send(method, path, { ...sent, key, headers: { ...headers, ...present, 'if-none-match': tags } });
  for (const tags of ['*', tagNow]) {
    const refused = await anew(tags);
    expect([refused.status, refused.body.detail]).toEqual([412, expect.stringContaining('there already')]);
  }
  expect((await api.send('GET', path, { key })).headers.get('etag')).toBe(tagNow);
});

test('a deprecated route says since when, until when and what instead', async () => {
  const shape = contract({
    summary: 'Old.',
    deprecated: { since: '2026-01-01T00:00:00Z', sunset: '2027-01-01T00:00:00Z', instead: '/v2/new' },
    answer: { status: 204, means: 'done' },
  });
  @Controller('old')
  class Old {
    @Get()
    @Public('a test')
    @Contract(shape)
    get(): void {}
  }
  @Module({ imports: [ContractModule], controllers: [Old] })
  class Application {}
  const application = await NestFactory.create(Application, { logger: false });
  await application.listen(0, '127.0.0.1');
  const { headers } = await fetch(`${await application.getUrl()}/old`);
  await application.close();
  expect(['deprecation', 'sunset', 'link'].map((name) => headers.get(name))).toEqual([
    '@1767225600',
    'Fri, 01 Jan 2027 00:00:00 GMT',
    '</v2/new>; rel="successor-version"',
  ]);
});
