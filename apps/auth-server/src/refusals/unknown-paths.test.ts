import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { AuthWorld } from '../testing/auth-world.fixture.js';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
let world: AuthWorld;

beforeAll(async () => {
  world = await AuthWorld.open();
});
afterAll(() => world?.close());

test.each([
  ['GET', '/auth/nope'],
  ['POST', '/auth/nope'],
  ['GET', '/auth/TOKEN'],
  ['GET', '/auth/interaction/nobody/else'],
  ['GET', '/nope'],
])('%s %s is answered with a problem document, under the id of the request', async (method, path) => {
  const headers = { traceparent: `00-${TRACE}-00f067aa0ba902b7-01`, accept: 'application/json' };
  const answer = await fetch(`${world.url}${path}`, { method, headers });
  expect([answer.status, answer.headers.get('x-request-id')]).toEqual([404, TRACE]);
  expect(answer.headers.get('content-type')).toContain('application/problem+json');
  expect(await answer.json()).toEqual({
    type: 'urn:wharf:error:not_found',
    title: 'Nothing was found here.',
    status: 404,
    detail: 'Nothing was found here.',
    code: 'not_found',
    request_id: TRACE,
    docs: expect.stringMatching(/^http.*\/v1\/docs.*not_found$/),
  });
});

test('a person who opens a path that is none reads a page', async () => {
  const answer = await fetch(`${world.url}/auth/nope`, { headers: { accept: 'text/html' } });
  expect([answer.status, answer.headers.get('content-type')]).toEqual([404, 'text/html; charset=utf-8']);
});

test('what is refused at /v1/me/grants is explained too, and every request has an id of its own', async () => {
  const [one, other] = [await fetch(`${world.url}/v1/me/grants`), await fetch(`${world.url}/v1/me/grants`)];
  const body = (await one.json()) as Record<string, unknown>;
  expect([one.status, body['request_id']]).toEqual([401, one.headers.get('x-request-id')]);
  expect(body['docs']).toContain('unauthenticated');
  expect(one.headers.get('x-request-id')).toMatch(/^[0-9a-f]{32}$/);
  expect(one.headers.get('x-request-id')).not.toBe(other.headers.get('x-request-id'));
});
