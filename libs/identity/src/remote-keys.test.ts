import { afterAll, afterEach, beforeAll, expect, jest, test } from '@jest/globals';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { compressionBomb, until } from '#libs/testing';
import { exportJWK, generateKeyPair, type JWK } from 'jose';
import { RemoteKeys } from './remote-keys.js';

let server: Server;
let url: string;
let keys: JWK[] = [];
let status = 200;
let fetches = 0;
let bomb: { readonly coding: string; readonly body: Buffer } | undefined;

async function keyNamed(kid: string): Promise<JWK> {
  const { publicKey } = await generateKeyPair('ES256', { extractable: true });
  return { ...(await exportJWK(publicKey)), kid, alg: 'ES256', use: 'sig' };
}

beforeAll(async () => {
  server = createServer((_, response) => {
    fetches += 1;
    if (bomb !== undefined) return response.writeHead(200, { 'content-encoding': bomb.coding }).end(bomb.body);
    return response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ keys }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo; // a TCP server's address
  url = `http://127.0.0.1:${port}/jwks`;
});
afterAll(() => {
  server.close();
});
afterEach(() => {
  jest.restoreAllMocks();
  [keys, status, fetches, bomb] = [[], 200, 0, undefined];
});

const find = (remote: RemoteKeys, kid: string): Promise<string> =>
  remote.find({ alg: 'ES256', kid }).then(
    () => 'found',
    (error: unknown) => (error instanceof TypeError ? 'unavailable' : 'unknown'),
  );

test('O-39: a flood of unknown key ids asks once in 30 s, and an issuer that fails is asked once in 5 s', async () => {
  keys = [await keyNamed('one')];
  const remote = new RemoteKeys(url);
  expect(await find(remote, 'one')).toBe('found');
  for (let at = 0; at < 200; at += 1) expect(await find(remote, `made-up-${at}`)).toBe('unknown');
  expect(fetches).toBe(1);

  [status, fetches] = [503, 0];
  const cut = new RemoteKeys(url);
  for (let at = 0; at < 200; at += 1) expect(await find(cut, `made-up-${at}`)).toBe('unavailable');
  expect(fetches).toBe(1);
});

test('O-39: a new key is found and one that left is forgotten after a minute, without a wait for the issuer', async () => {
  const [one, two] = [await keyNamed('one'), await keyNamed('two')];
  keys = [one];
  const remote = new RemoteKeys(url);
  expect(await find(remote, 'one')).toBe('found');
  const before = remote.generation;
  keys = [two];
  const later = Date.now() + 61_000;
  jest.spyOn(Date, 'now').mockReturnValue(later);
  expect(await find(remote, 'one')).toBe('found');
  await until(() => remote.generation !== before, 'the new keys');
  expect(remote.generation).toBe(before + 1);
  expect([await find(remote, 'one'), await find(remote, 'two')]).toEqual(['unknown', 'found']);
});

test.each(['gzip', 'br'] as const)('a key set compressed by %s is refused and not unpacked', async (coding) => {
  keys = [await keyNamed('one')];
  bomb = { coding, body: await compressionBomb(coding) };
  const refused = new RemoteKeys(url).find({ alg: 'ES256', kid: 'one' });
  await expect(refused).rejects.toThrow(`compressed answer (${coding})`);
});

test('the last key set serves while the issuer cannot be reached', async () => {
  keys = [await keyNamed('one')];
  const remote = new RemoteKeys(url);
  expect(await find(remote, 'one')).toBe('found');
  status = 503;
  const later = Date.now() + 10 * 60_000;
  jest.spyOn(Date, 'now').mockReturnValue(later);
  expect(await find(remote, 'one')).toBe('found');
});
