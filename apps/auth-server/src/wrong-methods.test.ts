import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { AuthWorld } from './testing/auth-world.fixture.js';

let world: AuthWorld;

beforeAll(async () => {
  world = await AuthWorld.open();
});
afterAll(() => world?.close());

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];
const ask = (method: string, path: string): Promise<Response> =>
  fetch(`${world.url}${path}`, { method, redirect: 'manual' });

test.each([
  ['/auth/authorize', 'GET, HEAD'],
  ['/auth/authorize/an-interaction', 'GET, HEAD'],
  ['/auth/token', 'OPTIONS, POST'],
  ['/token', 'OPTIONS, POST'],
  ['/auth/par', 'OPTIONS, POST'],
  ['/auth/introspect', 'OPTIONS, POST'],
  ['/auth/revoke', 'OPTIONS, POST'],
  ['/auth/register', 'OPTIONS, POST'],
  ['/auth/device/auth', 'OPTIONS, POST'],
  ['/auth/device', 'GET, HEAD, POST'],
  ['/auth/device/an-interaction', 'GET, HEAD'],
  ['/auth/jwks', 'GET, HEAD, OPTIONS'],
  ['/.well-known/oauth-authorization-server/auth', 'GET, HEAD, OPTIONS'],
  ['/auth/.well-known/openid-configuration', 'GET, HEAD, OPTIONS'],
])('%s is asked with %s, and says so to whoever asks otherwise', async (path, allowed) => {
  for (const method of METHODS) {
    const { status, headers } = await ask(method, path);
    const isUnknown = status === 404 && !path.endsWith('an-interaction');
    if (allowed.split(', ').includes(method)) expect([method, status === 405 || isUnknown]).toEqual([method, false]);
    else expect([method, status, headers.get('allow')]).toEqual([method, 405, allowed]);
  }
});

test('who asks what there is, is told; a browser that asks for a page of another origin may', async () => {
  const asked = await ask('OPTIONS', '/auth/token');
  expect([asked.status, asked.headers.get('allow')]).toEqual([204, 'OPTIONS, POST']);
  const preflight = { origin: 'https://app.example', 'access-control-request-method': 'POST' };
  const may = await fetch(`${world.url}/auth/token`, { method: 'OPTIONS', headers: preflight });
  expect([may.status, may.headers.get('access-control-allow-methods')]).toEqual([204, 'POST']);
});

test('each endpoint of the metadata is found with its own method, and is no unknown path', async () => {
  const metadata = await ask('GET', '/.well-known/oauth-authorization-server/auth');
  const document = (await metadata.json()) as Record<string, unknown>; // RFC 8414
  const endpoints = Object.entries(document).filter(([name]) => name.endsWith('_endpoint') || name === 'jwks_uri');
  expect(endpoints.length).toBeGreaterThan(6);
  for (const [name, url] of endpoints) {
    const { pathname } = new URL(String(url));
    const answer = await ask('DELETE', pathname);
    expect([name, answer.status, answer.headers.get('allow') !== null]).toEqual([name, 405, true]);
  }
});

test('programs read the refusal as OAuth has errors, people as a page, others as a problem document', async () => {
  const token = await ask('GET', '/auth/token');
  expect([token.status, await token.json()]).toMatchObject([405, { error: 'invalid_request' }]);
  const page = await fetch(`${world.url}/auth/authorize`, { method: 'PUT', headers: { accept: 'text/html' } });
  expect([page.status, page.headers.get('content-type')]).toEqual([405, expect.stringContaining('text/html')]);
  const keys = await ask('POST', '/auth/jwks');
  expect([keys.status, await keys.json()]).toMatchObject([405, { code: 'method_not_allowed' }]);
  expect((await ask('GET', '/auth/nothing-here')).status).toBe(404);
});
