import { request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { closeServer } from '#libs/http';
import { parseLocalConfig } from './config.js';
import { FrontDoor } from './front-door.js';

const OWN = 'localhost:4000';

let door: FrontDoor;

beforeAll(async () => {
  door = new FrontDoor({ ...parseLocalConfig({}), WHARF_PORT: 0 });
  await door.listen();
});
afterAll(() => closeServer(door.server, 0));

/** The status of a request under exactly these hosts; 503 is an open door, behind which nothing runs here. */
function statusUnder(hosts: readonly string[]): Promise<number | undefined> {
  const { address: host, port } = door.server.address() as AddressInfo; // a TCP server's address
  return new Promise((resolve, reject) => {
    const headers = hosts.flatMap((name) => ['host', name]);
    const asked = request({ host, port, headers, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    asked.on('error', reject).end();
  });
}

test.each([OWN, '127.0.0.1:4000', '[::1]:4000'])('lets %s pass', async (host) => {
  expect(await statusUnder([host])).toBe(503);
});

test('refuses the name of another', async () => {
  expect(await statusUnder(['evil.example'])).toBe(403);
});

test.each([
  [OWN, 'evil.example'],
  ['evil.example', OWN],
  [OWN, OWN],
])('refuses two Hosts: %s and %s', async (...hosts) => {
  expect(await statusUnder(hosts)).toBe(400);
});
