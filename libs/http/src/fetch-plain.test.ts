import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { compressionBomb } from '#libs/testing';
import { AnswerRefused, fetchPlain, type PlainAnswer } from './fetch-plain.js';

const BYTES_MAX = 10_000;
let server: Server;
let origin: string;
let coding: string | undefined;
const bombs = new Map<string, Buffer>();

beforeAll(async () => {
  for (const name of ['gzip', 'br'] as const) bombs.set(`/${name}`, await compressionBomb(name));
  server = createServer((request, response) => {
    coding = request.headers['accept-encoding'];
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://x');
    const bomb = bombs.get(pathname);
    if (bomb !== undefined) return response.writeHead(200, { 'content-encoding': pathname.slice(1) }).end(bomb);
    return response
      .writeHead(200, { 'content-encoding': 'identity' })
      .end('x'.repeat(Number(searchParams.get('bytes'))));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`; // it listens on TCP
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const ask = (path: string, bytesMax = BYTES_MAX): Promise<PlainAnswer> =>
  fetchPlain((plain) => fetch(`${origin}${path}`, { headers: { ...plain } }), bytesMax);

describe('an answer that is fetched plain', () => {
  test('is asked for without compression, and read to its end', async () => {
    const { status, body } = await ask(`/?bytes=${BYTES_MAX}`);
    expect([coding, status, body.length]).toEqual(['identity', 200, BYTES_MAX]);
  });

  test('is refused when it is too long', async () => {
    await expect(ask(`/?bytes=${BYTES_MAX + 1}`)).rejects.toThrow('it sent more than 10000 bytes');
  });

  test.each(['gzip', 'br'])('is refused compressed by %s, and not unpacked', async (name) => {
    const beforeKiB = process.resourceUsage().maxRSS;
    await expect(ask(`/${name}`, 512 * 1024 * 1024)).rejects.toThrow(AnswerRefused);
    await expect(ask(`/${name}`)).rejects.toThrow(`(${name})`);
    expect(process.resourceUsage().maxRSS - beforeKiB).toBeLessThan(64 * 1024);
  });

  test('is read no further than its bound, and then ends', async () => {
    let [sent, ended] = [0, false];
    const endless = new ReadableStream<Uint8Array>(
      {
        pull: (controller) => {
          sent += 4_096;
          controller.enqueue(new Uint8Array(4_096));
        },
        cancel: () => {
          ended = true;
        },
      },
      { highWaterMark: 0 },
    );
    await expect(fetchPlain(async () => new Response(endless), BYTES_MAX)).rejects.toThrow(AnswerRefused);
    expect([sent, ended]).toEqual([12_288, true]);
  });

  test('is not read at all where its coding is not known', async () => {
    let sent = 0;
    const body = new ReadableStream<Uint8Array>({ pull: () => void (sent += 1) }, { highWaterMark: 0 });
    const answer = new Response(body, { headers: { 'content-encoding': 'gzip, x-new' } });
    await expect(fetchPlain(async () => answer, BYTES_MAX)).rejects.toThrow('(gzip, x-new)');
    expect(sent).toBe(0);
  });
});
