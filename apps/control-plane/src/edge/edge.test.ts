import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Writable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { startControlPlane, type ControlPlane, type TestTenant } from '../testing/control-plane.fixture.js';
import { observed } from './observe.js';

let api: ControlPlane;
let tenant: TestTenant;

beforeAll(async () => {
  api = await startControlPlane();
  tenant = await api.newTenant();
});

afterAll(() => api.stop());

const json = { 'content-type': 'application/json' };
const post = (body: string | Uint8Array, headers: Record<string, string> = json) =>
  api.send('POST', '/v1/servers', { key: tenant.key, body, headers });

describe('bodies', () => {
  test('another content type, charset or encoding is 415', async () => {
    const body = JSON.stringify({ slug: 's', name: 'S' });
    for (const headers of [
      { 'content-type': 'text/plain' },
      { 'content-type': 'application/json; charset=utf-16' },
      { 'content-type': 'application/jsonp' },
    ]) {
      expect((await post(body, headers)).status).toBe(415);
    }
    expect((await post(gzipSync(body), { ...json, 'content-encoding': 'gzip' })).status).toBe(415);
    expect((await post(body, { 'content-type': 'Application/JSON; Charset="UTF-8"' })).status).toBe(201);
  });

  test('a body of 5 MB is 413', async () => {
    const answer = await post(JSON.stringify({ slug: 's', name: 'x'.repeat(5_000_000) }));
    expect([answer.status, answer.body.code]).toEqual([413, 'too_large']);
  });

  test('text that is not UTF-8 is malformed', async () => {
    const answer = await post(Buffer.from([0x22, 0xff, 0xfe, 0x22]));
    expect([answer.status, answer.body.code]).toEqual([400, 'malformed_json']);
  });

  test('a member that stands twice is refused, as readers differ in which one counts', async () => {
    const answer = await post('{"slug":"twice","name":"S","slug":"thrice"}');
    expect([answer.status, answer.body.code, answer.body.detail]).toEqual([
      400,
      'invalid_request',
      'A name stands twice in one object of the JSON. Send it once.',
    ]);
  });

  test('a member named __proto__ is an unknown field like any other', async () => {
    const answer = await post('{"slug":"s2","name":"S","__proto__":{"role":"owner"}}');
    expect([answer.status, answer.body.code]).toEqual([400, 'invalid_request']);
  });

  test('a name is kept with the joiners that its script and emoji need', async () => {
    const name = '👨\u200d👩\u200d👧 می\u200cخواهم';
    expect((await post(JSON.stringify({ slug: 'family', name }))).status).toBe(201);
    expect((await api.send('GET', '/v1/servers/family', { key: tenant.key })).body.name).toBe(name);
    const hidden = await post(JSON.stringify({ slug: 'hidden', name: 'ab\u202etxt' }));
    expect([hidden.status, hidden.body.errors[0]]).toEqual([
      400,
      { pointer: '/name', message: 'one line of text without control or invisible characters' },
    ]);
  });

  test('every place to correct is named by a pointer', async () => {
    const answer = await post(JSON.stringify({ slug: 'UPPER', name: '', 'a/b~c': 1 }));
    expect(answer.body.errors.map((problem: { pointer: string }) => problem.pointer).toSorted()).toEqual([
      '/a~1b~0c',
      '/name',
      '/slug',
    ]);
  });
});

describe('paths', () => {
  test('are as they are written: in capitals they are nobody’s', async () => {
    const { status, body, headers } = await api.send('GET', '/V1/servers', { key: tenant.key });
    expect([status, body.code, body.request_id]).toEqual([404, 'not_found', headers.get('x-request-id')]);
    expect(body.docs).toContain('not_found');
  });

  test('an unknown path is 404, with credentials and without', async () => {
    for (const sent of [{}, { key: tenant.key }]) {
      const answer = await api.send('GET', '/v1/nothing', sent);
      expect([answer.status, answer.body.code]).toEqual([404, 'not_found']);
    }
  });

  test('another method on a known path is 405 and names those that work', async () => {
    const answer = await api.send('PATCH', '/v1/servers', { key: tenant.key });
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET, POST']);
  });

  test('a path that cannot be decoded is refused without a word about ourselves', async () => {
    const answer = await api.send('GET', '/v1/servers/%E0%A4%A', { key: tenant.key });
    expect(answer.status).toBe(400);
    expect(answer.text).not.toMatch(/node_modules|Error|express/);
  });
});

describe('observation', () => {
  test('a request leaves one line with its route and trace id, and nothing of its URL, headers or body', async () => {
    const lines: string[] = [];
    const sink = new Writable({
      write(chunk: Buffer, _, done) {
        lines.push(chunk.toString());
        done();
      },
    });
    const application: RequestListener = (_, response) => response.writeHead(204).end();
    const server = createServer(observed(application, { logger: pino(sink), trustProxy: false }));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo; // listening on TCP
    const headers = { authorization: 'Bearer SECRET-CANARY', connection: 'close' };
    await fetch(`http://127.0.0.1:${port}/path-SECRET-CANARY?q=SECRET-CANARY`, { headers });
    await new Promise((resolve) => server.close(resolve));
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      method: 'GET',
      route: 'none',
      status: 204,
      address: '127.0.0.1',
    });
    expect(lines[0]).not.toContain('CANARY');
  });

  test('every answer has the id of its request, which its line, its problem document and its audit records repeat', async () => {
    const good = await api.send('POST', '/v1/servers', { key: tenant.key, body: { slug: 'identified', name: 'I' } });
    const audit = await api.send('GET', '/v1/audit?event=server.created&limit=1', { key: tenant.key });
    expect(good.headers.get('x-request-id')).toBe(audit.body.records[0].trace_id);
    for (const path of ['/v1/servers/none', '/v1/nothing', '/v1/servers/%E0%A4%A']) {
      const refused = await api.send('GET', path, { key: tenant.key });
      expect(refused.headers.get('x-request-id')).toMatch(/^(?!0{32})[0-9a-f]{32}$/);
      expect(refused.body.request_id).toBe(refused.headers.get('x-request-id'));
    }
  });

  test('a request’s id is the id of the trace that its client began', async () => {
    const headers = { traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01` };
    const answer = await api.send('GET', '/v1/tenant', { key: tenant.key, headers });
    expect(answer.headers.get('x-request-id')).toBe('a'.repeat(32));
  });

  test('audit records carry the trace of the request that caused them', async () => {
    await api.send('POST', '/v1/servers', { key: tenant.key, body: { slug: 'traced', name: 'T' } });
    const audit = await api.send('GET', '/v1/audit?event=server.created&limit=1', { key: tenant.key });
    expect(audit.body.records[0].trace_id).toMatch(/^(?!0{32})[0-9a-f]{32}$/);
    expect(audit.body.records[0].source_address).toBe('127.0.0.1');
  });
});
