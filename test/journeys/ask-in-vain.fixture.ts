import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from '@jest/globals';

type Cli = (
  args: readonly string[],
  input?: string,
  extra?: NodeJS.ProcessEnv,
) => Promise<{ readonly code: number; readonly stderr: string }>;

/** Where nothing answers, or something else does, a person reads which URL it was and what to check. */
export async function askInVain(cli: Cli, apiKey: string): Promise<void> {
  const at = (url: string) => cli(['whoami'], '', { WHARF_URL: url, WHARF_API_KEY: apiKey });
  const odd = await at('http://localhost:1');
  expect([odd.code, odd.stderr]).toEqual([1, expect.stringMatching(/^\nhttp:\/\/localhost:1 .*own port\n.*--url/)]);
  expect((await at('http://localhost:49151')).stderr).toContain('nothing listens at that host and port');
  expect((await at('localhost')).stderr).toContain('is no URL of an installation');
  const other = createServer((_, response) => {
    response.setHeader('x-request-id', 'f00d').end('{"tenant": {"id": 7}}');
  }).listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address() as AddressInfo; // it listens on a port
  const { code, stderr } = await at(`http://127.0.0.1:${port}`);
  other.close();
  expect([code, stderr]).toEqual([
    1,
    expect.stringMatching(/^\nGET \/v1\/tenant succeeded.*another version.*f00d\.\n$/),
  ]);
}
