import { randomBytes } from 'node:crypto';
import { expect, test } from '@jest/globals';
import type { EgressRequest } from '../egress-request.js';
import { KeptPersonTokens } from './kept-person-tokens.js';

const ORIGIN = 'https://mail.example';
const tokenKey = randomBytes(32).toString('base64');

function request(differs: Partial<EgressRequest> = {}): EgressRequest {
  return {
    tenantId: 'acme',
    release: { digest: 'sha256:a', servers: [] },
    context: { version: 'v1', secrets: {}, allowances: [], tokenKey },
    session: { name: 'one', isAside: true },
    tool: 'upstream:mail',
    method: 'DELETE',
    body: Buffer.alloc(0),
    ...differs,
  } as EgressRequest; // the rest is not looked at
}
const posted = (message: unknown): EgressRequest =>
  request({ method: 'POST', body: Buffer.from(JSON.stringify(message)) });

const kept = new KeptPersonTokens();
kept.keep(request(), ORIGIN, 'token of ann');

test.each([
  ['the end of its session', request()],
  ['a notification', posted({ jsonrpc: '2.0', method: 'notifications/cancelled', params: {} })],
  ['the end of a task', posted({ jsonrpc: '2.0', id: 1, method: 'tasks/cancel', params: { taskId: 't' } })],
  ['an answer to its upstream', posted({ jsonrpc: '2.0', id: 1, result: {} })],
])('a kept token goes with %s', (_, of) => {
  expect(kept.find(of, ORIGIN)).toBe('token of ann');
});

test.each([
  ['a request', posted({ jsonrpc: '2.0', id: 1, method: 'tools/call' }), ORIGIN],
  ['many messages at once', posted([{ jsonrpc: '2.0', id: 1, method: 'tools/call' }]), ORIGIN],
  ['what is no message', request({ method: 'POST', body: Buffer.from('x') }), ORIGIN],
  ['a stream', request({ method: 'GET' }), ORIGIN],
  ['what an exchange waits for', request({ session: { name: 'one', isAside: false } }), ORIGIN],
  ['another session', request({ session: { name: 'two', isAside: true } }), ORIGIN],
  ['another tenant', request({ tenantId: 'twin' }), ORIGIN],
  ['another release', request({ release: { digest: 'sha256:b', servers: [] } }), ORIGIN],
  ['another upstream', request({ tool: 'upstream:other' }), ORIGIN],
  ['another origin', request(), 'https://other.example'],
])('a kept token does not go with %s', (_, of, origin) => {
  expect(kept.find(of, origin)).toBeUndefined();
});

test('a token is forgotten with its login', () => {
  const own = new KeptPersonTokens();
  own.keep(request(), ORIGIN, 'token');
  own.drop(request(), ORIGIN);
  expect(own.find(request(), ORIGIN)).toBeUndefined();
});
