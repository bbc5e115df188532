import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { AuthWorld, locationOf, loginFields } from './testing/auth-world.fixture.js';
import { freePort } from './testing/free-port.fixture.js';

const SUITE = path.resolve('node_modules/@modelcontextprotocol/conformance/dist/index.js');

let world: AuthWorld;
let folder: string;

beforeAll(async () => {
  world = await AuthWorld.open();
  folder = await mkdtemp(path.join(tmpdir(), 'wharf-conformance-'));
  const acme = await world.addTenant('acme');
  await world.addPerson('ana@acme.test', { [acme]: 'user' });
});
afterAll(async () => {
  await world.close();
  await rm(folder, { recursive: true, force: true });
});

/** Signs in and allows at the URL that the suite asks to be opened, and lets its callback know. */
async function actAsPerson(url: string): Promise<void> {
  const browser = world.browser();
  const consent = await browser.submit(await browser.open(url), loginFields('ana@acme.test'));
  await fetch(locationOf(await browser.submit(consent, { action: 'allow' })));
}

test('the official suite passes for the authorization server', async () => {
  const port = await freePort();
  const client = await world.register({ redirect_uris: [`http://127.0.0.1:${port}/callback`] });
  const suite = spawn(
    process.execPath,
    [SUITE, 'authorization', '--url', `${world.url}/auth`, '--client-id', client.client_id].concat([
      '--resource',
      `${world.url}/t/acme/mcp`,
      '--port',
      String(port),
      '--output-dir',
      folder,
    ]),
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const lines: string[] = [];
  for await (const line of createInterface({ input: suite.stdout })) {
    lines.push(line);
    if (line.startsWith(`${world.url}/auth/authorize?`)) await actAsPerson(line);
  }
  const code = suite.exitCode ?? (await new Promise((resolve) => suite.once('exit', resolve)));
  const report = lines.join('\n');
  expect(report).not.toMatch(/FAILURE|WARNING|SKIPPED/);
  expect(report).toMatch(/authorization-code-grant/);
  expect(code).toBe(0);
});
