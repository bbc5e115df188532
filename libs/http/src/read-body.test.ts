import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { toAppError } from '#libs/errors';
import { readBody } from './read-body.js';

let server: Server;
let port: number;

beforeAll(async () => {
  server = createServer((incoming, response) => {
    const late = new AbortController();
    if (incoming.url === '/late') incoming.once('data', () => late.abort());
    readBody(incoming, 1_000, late.signal).then(
      (body) => response.end(String(body.length)),
      (error: unknown) => response.writeHead(toAppError(error).status, { connection: 'close' }).end(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port; // a TCP server's address
});

afterAll(() => server.closeAllConnections());
afterAll(() => new Promise((resolve) => server.close(resolve)));

function post(chunks: readonly Buffer[], headers: Record<string, string> = {}, path = '/'): Promise<number> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ port, host: '127.0.0.1', method: 'POST', headers, path }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    outgoing.on('error', reject);
    for (const chunk of chunks) outgoing.write(chunk);
    outgoing.end();
  });
}

test('reads a body within the limit', async () => {
  expect(await post([Buffer.alloc(600), Buffer.alloc(400)])).toBe(200);
});

test('refuses a body whose length is announced too large', async () => {
  expect(await post([], { 'content-length': '1001', expect: '100-continue' }).catch(() => 413)).toBe(413);
});

test('refuses a streamed body at the first byte beyond the limit', async () => {
  expect(await post([Buffer.alloc(600), Buffer.alloc(401)], { 'transfer-encoding': 'chunked' })).toBe(413);
});

test('refuses a body that is not complete in time with 408', async () => {
  expect(await post([Buffer.alloc(1)], { 'content-length': '2' }, '/late')).toBe(408);
});
