import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { compressionBomb } from '#libs/testing';
import { OpenIdFetch } from './openid-fetch.js';

const http = new OpenIdFetch();
const asked: Array<readonly [string | undefined, string | undefined]> = [];
const bombs = new Map<string, Buffer>();
let server: Server;
let port: number;

beforeAll(async () => {
  for (const name of ['gzip', 'br'] as const) bombs.set(`/${name}`, await compressionBomb(name));
  server = createServer(({ url = '', headers }, response) => {
    asked.push([headers['accept-encoding'], headers.accept]);
    const bomb = bombs.get(url);
    if (bomb !== undefined) response.writeHead(200, { 'content-encoding': url.slice(1) }).end(bomb);
    else if (url === '/nothing') response.writeHead(204).end();
    else if (url === '/long') response.writeHead(200).end('x'.repeat(256 * 1024 + 1));
    else response.writeHead(200, { 'content-type': 'application/json' }).end('{"issuer":"x"}');
  });
  // An address of this machine's own network, as an operator may open it.
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ({ port } = server.address() as AddressInfo); // it listens on TCP
});
afterAll(async () => {
  await http.stop();
  server.closeAllConnections();
  server.close();
});

const ask = (path: string, init?: RequestInit): Promise<Response> =>
  http.for([{ host: '127.0.0.1', port }])(`http://127.0.0.1:${port}${path}`, init);

describe('what a tenant’s provider answers', () => {
  test('is asked for without compression, whatever the caller would take', async () => {
    const headers = new Headers({ accept: 'application/json', 'accept-encoding': 'gzip, br' });
    const answer = await ask('/', { headers });
    expect(await answer.json()).toEqual({ issuer: 'x' });
    expect(answer.headers.get('content-type')).toBe('application/json');
    expect(asked.at(-1)).toEqual(['identity', 'application/json']);
    expect((await ask('/nothing')).status).toBe(204);
  });

  test.each(['gzip', 'br'])('is refused compressed by %s, and not unpacked', async (name) => {
    const beforeKiB = process.resourceUsage().maxRSS;
    await expect(ask(`/${name}`)).rejects.toThrow(`compressed answer (${name})`);
    expect(process.resourceUsage().maxRSS - beforeKiB).toBeLessThan(64 * 1024);
  });

  test('is refused beyond 256 KiB', async () => {
    await expect(ask('/long')).rejects.toThrow('does not answer');
  });
});
