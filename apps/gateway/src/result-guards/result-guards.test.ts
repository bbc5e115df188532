import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { until } from '#libs/testing';
import { GatewayUnderTest, type TenantUnderTest } from '../gateway.fixture.js';
import { modern, send } from '../requests.fixture.js';
import { listen, type Listening } from '../surroundings.fixture.js';

const PERSON = 'Ada, ada@example.com, DE89 3704 0044 0532 0130 00, order 1234567890123';

let gateway: GatewayUnderTest;
let upstream: Listening;
let acme: TenantUnderTest;
let other: TenantUnderTest;

/** `/{bytes}` answers a person, and dots up to as many bytes. */
beforeAll(async () => {
  upstream = await listen((request, response) => {
    const bytes = Number(new URL(request.url ?? '', 'http://x').pathname.slice(1));
    response.setHeader('content-type', 'text/plain').end(PERSON.padEnd(bytes, '. '));
  });
  gateway = await GatewayUnderTest.start();
  [acme, other] = [await tenantOf('acme'), await tenantOf('other')];
});

afterAll(async () => {
  await gateway.stop();
  await upstream.close();
});

async function tenantOf(slug: string): Promise<TenantUnderTest> {
  const tools = { person: `${upstream.origin}/200`, people: `${upstream.origin}/60000` };
  const tenant = await gateway.tenant(slug, tools, 'free');
  await gateway.allow(tenant, upstream);
  await change(tenant, `inline_result_bytes = 4096`);
  return tenant;
}

async function change({ id }: TenantUnderTest, set: string, ...values: readonly string[]): Promise<void> {
  await gateway.control.asTenant(id, (tx) =>
    tx.query(`update servers set ${set} where tenant_id = $1`, [id, ...values]),
  );
}

async function ask({ key }: TenantUnderTest, url: string, method: string, params: Record<string, unknown>) {
  const { headers, body } = modern(method, params);
  const named = typeof params['uri'] === 'string' ? { 'mcp-name': params['uri'] } : {};
  return (await send(url, { headers: { ...headers, ...named, authorization: `Bearer ${key}` }, body })).json;
}

async function call(tenant: TenantUnderTest, name: string, url = tenant.serverUrl) {
  return (await ask(tenant, url, 'tools/call', { name, arguments: {} }))?.result;
}

/** Has the server guard its results so, and waits for a result that is then so. */
async function guard(kinds: readonly string[], action: string, max: number | null, shows: string) {
  await change(acme, `result_guard = $2::jsonb`, JSON.stringify({ max_bytes: max, personal_data: { kinds, action } }));
  return shown(shows);
}

function shown(text: string) {
  return until(async () => {
    const result = await call(acme, 'person');
    return result.content[0].text.includes(text) && result;
  }, `a result with ${text}`);
}

test('a guard redacts, at every URL, and before a large answer is kept; another tenant’s answers stay as they were', async () => {
  const before = JSON.stringify(await call(other, 'person'));
  const [{ text }] = (await guard(['email', 'iban'], 'redact', null, '[email]')).content;
  expect(text).toContain('Ada, [email], [iban], order 1234567890123');
  expect((await call(acme, 'orders__person', acme.url)).content[0].text).toBe(text);
  const record = await gateway.audited(acme, ({ details }) => 'result_guard' in details);
  expect(record.details['result_guard']).toEqual({ action: 'redacted', found: { email: 1, iban: 1 } });
  const { uri } = (await call(acme, 'people')).content.find(({ type }: { type: string }) => type === 'resource_link');
  await change(acme, 'result_guard = null');
  await shown('ada@example.com');
  const kept = await ask(acme, acme.serverUrl, 'resources/read', { uri });
  expect(kept?.result.contents[0].text).toMatch(/^Ada, \[email\], \[iban\]/);
  expect(JSON.stringify(await call(other, 'person'))).toBe(before);
});

test('a guard withholds what is too large or personal, and says why', async () => {
  const refused = await guard(['email'], 'refuse', 59_000, 'withheld');
  expect(refused).toMatchObject({ isError: true, content: [{ text: expect.stringContaining('email (1)') }] });
  expect(JSON.stringify(refused)).not.toContain('ada@');
  const large = await call(acme, 'people');
  expect(large).toMatchObject({ isError: true, content: [{ text: expect.stringContaining('59000 bytes') }] });
  const record = await gateway.audited(acme, ({ details }) => 'too_large' in Object(details['result_guard']));
  expect(record).toMatchObject({ outcome: 'tool_error', details: { result_guard: { action: 'refused' } } });
});
