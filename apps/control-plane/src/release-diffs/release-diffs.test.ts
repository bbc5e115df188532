import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { newId } from '#libs/database';
import { startControlPlane, type ControlPlane, type TestTenant } from '../testing/control-plane.fixture.js';

let api: ControlPlane;
let tenant: TestTenant;

beforeAll(async () => {
  api = await startControlPlane({ runtime: true });
  tenant = await api.newTenant();
  await api.send('POST', '/v1/servers', { key: tenant.key, body: { slug: 'shop', name: 'Shop' } });
});
afterAll(() => api.stop());

const tool = (name: string, more: object = {}): object => ({
  name,
  description: 'Does.',
  method: 'GET',
  url: `https://api.example.com/${name}`,
  ...more,
});
async function release(...tools: object[]): Promise<string> {
  const body = { source: { kind: 'http', tools } };
  const answer = await api.send('POST', '/v1/servers/shop/releases', { key: tenant.key, body });
  expect([answer.status, answer.text]).toEqual([201, expect.anything()]);
  return answer.body.release.id;
}
const diff = (to: string, query: string) =>
  api.send('GET', `/v1/servers/shop/releases/${to}/diff${query}`, { key: tenant.key });

test('tools that came, went and changed are told, with what it means for agents', async () => {
  const from = await release(tool('kept'), tool('gone'), tool('told'));
  const to = await release(tool('kept'), tool('new'), tool('told', { description: 'Does more.' }));
  const { status, body } = await diff(to, `?from=${from}`);
  expect(status).toBe(200);
  expect(body.diff).toMatchObject({
    from: { id: from, number: 1 },
    to: { id: to, number: 2 },
    effect: 'breaking',
    added: ['new'],
    removed: ['gone'],
    changed: [{ name: 'told', effect: 'wording', description: { before: 'Does.', after: 'Does more.' } }],
    list_tokens: { before: expect.any(Number), after: expect.any(Number) },
    tool_tokens: [
      { name: 'gone', before: expect.any(Number), after: null },
      { name: 'told', before: expect.any(Number), after: expect.any(Number) },
      { name: 'new', before: null, after: expect.any(Number) },
    ],
  });
  expect((await diff(to, `?from=${to}`)).body.diff).toMatchObject({ effect: 'none', changed: [] });
});

test('without a live release, the other one must be named; one that is not there is not found', async () => {
  const to = await release(tool('kept'));
  expect((await diff(to, '')).status).toBe(409);
  expect((await diff(to, `?from=${newId()}`)).status).toBe(404);
  expect((await diff(newId(), `?from=${to}`)).status).toBe(404);
  expect((await diff(to, `?from=x`)).status).toBe(400);
});

test('a release of another tenant is not there to compare with', async () => {
  const own = await release(tool('kept'));
  const other = await api.newTenant();
  await api.send('POST', '/v1/servers', { key: other.key, body: { slug: 'shop', name: 'Shop' } });
  const body = { source: { kind: 'http', tools: [tool('kept')] } };
  const built = await api.send('POST', '/v1/servers/shop/releases', { key: other.key, body });
  expect((await diff(own, `?from=${built.body.release.id}`)).status).toBe(404);
});
