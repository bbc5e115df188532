import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { until } from '#libs/testing';
import { openStream } from './events.fixture.js';
import { GatewayUnderTest, type TenantUnderTest } from './gateway.fixture.js';
import { writeProfile } from './profiles.fixture.js';
import { INITIALIZE, legacy, modern, send, type Answer } from './requests.fixture.js';
import { listen, type Listening } from './surroundings.fixture.js';

let gateway: GatewayUnderTest;
let upstream: Listening;
let acme: TenantUnderTest;
let hits: string[] = [];

const LONG = `read_${'x'.repeat(55)}`;
const TOOLS = ['find', 'peek', 'write', LONG];

beforeAll(async () => {
  upstream = await listen((request, response) => {
    hits.push(request.url ?? '');
    response.setHeader('content-type', 'application/json').end('{"ok":true}');
  });
  gateway = await GatewayUnderTest.start();
  acme = await gateway.tenant('acme', toolsAt('orders'), 'scale');
  await gateway.publish(acme.id, 'billing', toolsAt('billing'));
  await gateway.allow(acme, upstream);
  await gateway.control.asTenant(acme.id, (tx) => tx.query(`update servers set writes = true`));
});

afterAll(async () => {
  await gateway.stop();
  await upstream.close();
});

function toolsAt(place: string, tools: readonly string[] = TOOLS): Record<string, string> {
  return Object.fromEntries(tools.map((name) => [name, `${upstream.origin}/${place}/${name}`]));
}

async function ask(url: string, method: string, params: Record<string, unknown> = {}, credential = acme.key) {
  const { headers, body } = modern(method, params);
  return send(url, { headers: { ...headers, authorization: `Bearer ${credential}` }, body });
}

async function names(url: string): Promise<string[]> {
  const { json } = await ask(url, 'tools/list');
  return json.result?.tools.map(({ name }: { name: string }) => name);
}

/** Waits until the gateway has heard of a change. */
async function serving(url: string, expected: readonly string[]): Promise<void> {
  await until(async () => JSON.stringify(await names(url)) === JSON.stringify(expected), expected.join());
}

async function called(url: string, name: string, credential = acme.key): Promise<Answer & { hits: string[] }> {
  hits = [];
  return { ...(await ask(url, 'tools/call', { name, arguments: {} }, credential)), hits };
}

describe('a profile', () => {
  test('lists, in both eras, what it lets through under the names it gives, and calls nothing else', async () => {
    const url = await writeProfile(gateway, acme, 'support', {
      servers: ['orders'],
      only: 'read',
      exclude: ['*__peek'],
      renames: { orders__find: 'look_up' },
      nameMax: 40,
    });
    const alias = expect.stringMatching(/^orders__read_x+_[0-9a-f]{8}$/);
    const shown = await namesOnce(url, 'look_up');
    expect(shown).toEqual(['look_up', alias]);
    expect(shown[1]).toHaveLength(40);

    const opened = await send(url, withKey(legacy(INITIALIZE)));
    const session = String(opened.headers['mcp-session-id']);
    const old = await send(url, withKey(legacy({ id: 2, method: 'tools/list' }, session)));
    expect(namesIn(old)).toEqual(shown);

    expect((await called(url, 'look_up')).hits).toEqual(['/orders/find']);
    expect((await called(url, shown[1] ?? '')).hits).toEqual([`/orders/${LONG}`]);
    for (const hidden of ['orders__find', 'orders__write', 'orders__peek', 'billing__find', 'find'])
      expect(await called(url, hidden)).toMatchObject({ hits: [], json: { error: { code: -32_602 } } });
    const params = { name: 'orders__write', arguments: {} };
    hits = [];
    const inSession = await send(url, withKey(legacy({ id: 3, method: 'tools/call', params }, session)));
    expect([hits, inSession.text.includes('There is no tool')]).toEqual([[], true]);
  });

  test('is a resource of its own, whose tokens are good nowhere else, and says what it asks for', async () => {
    const url = await writeProfile(gateway, acme, 'billing-only', { servers: ['billing'] });
    await namesOnce(url, 'billing__find');
    const challenge = await send(url, modern('tools/list'));
    const where = `${gateway.origin}/.well-known/oauth-protected-resource/t/acme/billing-only/mcp`;
    expect(challenge.headers['www-authenticate']).toContain(`resource_metadata="${where}", scope="mcp:read"`);
    const metadata = await send(where, { method: 'GET' });
    expect(metadata.json).toMatchObject({ resource: url, resource_name: 'Tenant acme: billing-only' });
    const token = await gateway.token(acme, url, { scope: 'mcp:read' });
    expect((await ask(url, 'tools/list', {}, token)).status).toBe(200);
    expect((await ask(acme.url, 'tools/list', {}, token)).status).toBe(401);
    expect((await called(url, 'billing__write', token)).headers['www-authenticate']).toContain('scope="billing:write"');
  });

  test('stands in the audit record with the tool as its server calls it', async () => {
    const url = await writeProfile(gateway, acme, 'audited', { renames: { orders__find: 'seek' } });
    await namesOnce(url, 'seek');
    await called(url, 'seek');
    const record = await gateway.audited(acme, ({ details }) => details['name'] === 'seek');
    expect(record.details).toMatchObject({ profile: 'audited', server: 'orders' });
  });

  test('ends its sessions when it changes: what it takes away is gone at once', async () => {
    const url = await writeProfile(gateway, acme, 'changing', { servers: ['orders'] });
    await namesOnce(url, 'orders__find');
    const opened = await send(url, withKey(legacy(INITIALIZE)));
    const session = String(opened.headers['mcp-session-id']);
    const list = () => send(url, withKey(legacy({ id: 2, method: 'tools/list' }, session)));
    expect((await list()).status).toBe(200);
    await writeProfile(gateway, acme, 'changing', { servers: ['orders'], tools: ['orders__peek'] });
    await serving(url, ['orders__peek']);
    expect((await list()).status).toBe(404);
  });

  test('of another tenant does not exist, and the slug of a server is taken', async () => {
    const other = await gateway.tenant('other', toolsAt('other'));
    await writeProfile(gateway, acme, 'private', {});
    expect((await ask(`${gateway.origin}/t/other/private/mcp`, 'tools/list', {}, other.key)).status).toBe(404);
    await expect(writeProfile(gateway, acme, 'orders', {})).rejects.toThrow('in use');
    await expect(gateway.publish(acme.id, 'private', toolsAt('x'))).rejects.toThrow('in use');
  });

  test('tells a listener of a release only when its own list is another one', async () => {
    const url = await writeProfile(gateway, acme, 'quiet', { servers: ['orders'], tools: ['orders__find'] });
    await namesOnce(url, 'orders__find');
    const { headers, body } = modern('subscriptions/listen', { notifications: { toolsListChanged: true } }, 'l');
    const stream = await openStream(url, { ...headers, authorization: `Bearer ${acme.key}` }, body);
    expect(await stream.next()).toMatchObject({ data: expect.stringContaining('acknowledged') });
    // The first changes nothing here: a tool more, which is not in the allow-list.
    await gateway.publish(acme.id, 'orders', toolsAt('orders', [...TOOLS, 'more']));
    await until(async () => (await names(acme.serverUrl)).includes('more'), 'the tool more');
    await gateway.publish(acme.id, 'orders', toolsAt('elsewhere', ['peek', 'write', LONG]));
    await serving(url, []);
    await gateway.publish(acme.id, 'orders', toolsAt('orders'));
    await serving(url, ['orders__find']);
    await gateway.control.asTenant(acme.id, (tx) => tx.query(`delete from profiles where slug = 'quiet'`));
    const told = [await stream.next(), await stream.next(), await stream.next()];
    const changed = 'notifications/tools/list_changed';
    expect(told.map((event) => JSON.parse(event?.data ?? '').method ?? 'the end')).toEqual([
      changed,
      changed,
      'the end',
    ]);
  });
});

describe('search mode', () => {
  let url: string;
  const SEARCH = ['search_tools', 'describe_tool', 'run_tool'];

  beforeAll(async () => {
    url = await writeProfile(gateway, acme, 'mcp', { search: true, exclude: ['billing__*'] });
    await serving(url, SEARCH);
  });

  const run = async (name: string, given: object, credential = acme.key) => {
    hits = [];
    return { ...(await ask(url, 'tools/call', { name, arguments: given }, credential)), hits };
  };

  test('finds, describes and runs what the profile lets through, at the tenant’s own URL', async () => {
    const found = JSON.parse((await run('search_tools', { query: 'find' })).json.result.content[0].text);
    expect(found.tools[0].name).toBe('orders__find');
    expect(JSON.stringify(found)).not.toContain('billing');
    const described = JSON.parse((await run('describe_tool', { name: 'orders__find' })).json.result.content[0].text);
    expect(described).toMatchObject({ name: 'orders__find', inputSchema: { properties: { text: {} } } });
    const ran = await run('run_tool', { name: 'orders__find', arguments: { text: 'a' } });
    expect([ran.hits, ran.json.result.isError ?? false]).toEqual([['/orders/find?text=a'], false]);
    expect(await run('run_tool', { name: 'billing__find' })).toMatchObject({ hits: [], json: { error: {} } });
    expect((await run('run_tool', {})).json.result ?? (await run('run_tool', {})).json.error).toBeDefined();
  });

  test('asks the target tool’s scope, and records the target tool', async () => {
    const token = await gateway.token(acme, url, { scope: 'mcp:read' });
    const refused = await run('run_tool', { name: 'orders__write', arguments: {} }, token);
    expect([refused.status, refused.hits]).toEqual([403, []]);
    expect(refused.headers['www-authenticate']).toContain('scope="orders:write"');
    await run('run_tool', { name: 'orders__peek', arguments: {} }, token);
    const record = await gateway.audited(
      acme,
      ({ details }) => details['name'] === 'orders__peek' && details['profile'] === 'mcp',
    );
    expect(record).toMatchObject({ event: 'call.completed', details: { server: 'orders' } });
  });

  test('names the target’s schema when its arguments are wrong, and goes no further than one tool', async () => {
    const wrong = await run('run_tool', { name: 'orders__find', arguments: { text: 7 } });
    expect([wrong.hits, JSON.stringify(wrong.json)]).toEqual([[], expect.stringContaining('orders__find')]);
    const nested = await run('run_tool', { name: 'run_tool', arguments: { name: 'orders__write', arguments: {} } });
    expect([nested.hits, nested.json.result?.isError]).toEqual([[], true]);
  });

  test('is the same in a session of the 2025 era', async () => {
    const opened = await send(url, withKey(legacy(INITIALIZE)));
    const session = String(opened.headers['mcp-session-id']);
    const post = (message: Record<string, unknown>) => send(url, withKey(legacy(message, session)));
    expect(namesIn(await post({ id: 2, method: 'tools/list' }))).toEqual(SEARCH);
    hits = [];
    const params = { name: 'run_tool', arguments: { name: 'orders__find', arguments: {} } };
    const answer = await post({ id: 3, method: 'tools/call', params });
    expect([answer.status, hits]).toEqual([200, ['/orders/find']]);
  });
});

function withKey(request: { headers: Record<string, string>; body: string }) {
  return { ...request, headers: { ...request.headers, authorization: `Bearer ${acme.key}` } };
}

function namesIn({ text }: Answer): string[] {
  const message = JSON.parse(/\{.*\}/s.exec(text)?.[0] ?? '{}');
  return message.result.tools.map(({ name }: { name: string }) => name);
}

/** The list, once the gateway has heard of a profile that shows this name. */
function namesOnce(url: string, name: string): Promise<string[]> {
  return until(async () => {
    const shown = await names(url);
    return shown?.includes(name) && shown;
  }, name);
}
