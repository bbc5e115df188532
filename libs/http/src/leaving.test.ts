import { expect, test } from '@jest/globals';
import type { AddressInfo } from 'node:net';
import { Leaving } from './leaving.js';
import { sendJson } from './respond.js';
import { closeServer, serverFor } from './server-for.js';

test('a service that is told to stop is not ready, answers what still comes, and lets its connections close', async () => {
  const leaving = Leaving.of({ WHARF_LEAVE_MS: '1' });
  const service = {
    name: 'service',
    listener: (_request: unknown, response: Parameters<typeof sendJson>[0]) => sendJson(response, 200, {}),
    readiness: async () => ({ ok: true, checks: {} }),
    stop: () => Promise.resolve(),
  };
  const server = serverFor(service, leaving);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo; // a TCP server's address
  const ask = async (path: string): Promise<readonly [number, string | null]> => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`);
    await answer.text();
    return [answer.status, answer.headers.get('connection')];
  };
  expect([await ask('/readyz'), await ask('/calls')]).toEqual([
    [200, 'keep-alive'],
    [200, 'keep-alive'],
  ]);
  await leaving.begin();
  expect([await ask('/readyz'), await ask('/calls'), await ask('/healthz')]).toEqual([
    [503, 'close'],
    [200, 'close'],
    [200, 'close'],
  ]);
  await closeServer(server);
});

test.each(['-1', '1.5', 'soon', '', '60001'])('a service does not start with WHARF_LEAVE_MS=%j', (text) => {
  expect(() => Leaving.of({ WHARF_LEAVE_MS: text })).toThrow(/WHARF_LEAVE_MS is wrong/);
});
