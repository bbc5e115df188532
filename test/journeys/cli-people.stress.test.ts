import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { allowDevice, startUpstream, type Upstream } from '#libs/journey';
import { startWharf, type Wharf } from '#libs/testing';
import { CommandLine } from './cli.fixture.js';
import { invite } from './invited.fixture.js';
import { openTestShop, type TestShop } from './shop.js';

/** May call and manages nothing. */
const KIM = { email: 'kim@people.example', password: 'a password that is Kim’s' };

let wharf: Wharf;
let upstream: Upstream;
let shop: TestShop;
let line: CommandLine;

beforeAll(async () => {
  [wharf, upstream, line] = await Promise.all([startWharf(), startUpstream(), CommandLine.build()]);
  shop = await openTestShop(wharf, upstream, 'people');
  const { id: tenantId } = await shop.api.tenant();
  const token = await invite(wharf.databaseUrl, { tenantId, email: KIM.email, role: 'user' });
  const accepted = await fetch(`${wharf.url}/v1/invitations/acceptance`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ token, password: KIM.password }),
  });
  expect(accepted.status).toBe(200);
});
afterAll(async () => {
  line?.remove();
  await Promise.all([wharf?.stop(), upstream?.stop()]);
});

const withKey = () => ({ WHARF_URL: wharf.url, WHARF_API_KEY: shop.apiKey.text });

/** Runs `wharf login` and does in a browser what it shows; how it ended. */
async function signIn(person: typeof KIM, profile: string, ...more: readonly string[]) {
  const args = [line.program, 'login', '--url', wharf.url, '--tenant', shop.slug, '--profile', profile, ...more];
  const child = spawn(process.execPath, args, { cwd: line.folder, env: line.environment, stdio: 'pipe' });
  const ended = once(child, 'exit');
  const out = text(child.stdout);
  const said: string[] = [];
  let page: string | undefined;
  for await (const one of createInterface({ input: child.stderr })) {
    said.push(one);
    const url = /^Open (\S+)/.exec(one)?.[1];
    if (url !== undefined) page = await allowDevice(new URL(url), person).catch(String);
  }
  const [code] = await ended;
  return { code, out: await out, said: said.join('\n'), page };
}

test('says who signed in, with their role', async () => {
  expect(await signIn(shop.owner, 'owner')).toMatchObject({ code: 0 });
  const { stdout } = await line.cli(['whoami', '--profile', 'owner']);
  expect(stdout).toContain(`${shop.owner.email}, owner`);
  expect(await line.json(['whoami', '--profile', 'owner'])).toMatchObject({
    profile: 'owner',
    who: { kind: 'person', email: shop.owner.email, role: 'owner' },
  });
  const token = (await line.cli(['token', '--profile', 'owner'])).stdout.trim();
  const members = await fetch(`${wharf.url}/v1/members`, { headers: { authorization: `Bearer ${token}` } });
  expect(members.status).toBe(200);
});

test('says which API key it is, without its secret', async () => {
  const { stdout } = await line.cli(['whoami'], '', withKey());
  expect(stdout).toContain(`API key ${shop.apiKey.prefix}…`);
  expect(stdout).toContain(shop.apiKey.scopes.join(', '));
  expect(stdout).not.toContain(shop.apiKey.text);
});

test('who manages nothing is refused at once and told how to sign in for calls, and then calls', async () => {
  const refused = await signIn(KIM, 'kim');
  expect([refused.code, refused.page]).toEqual([1, expect.stringContaining('403')]);
  expect(refused.said).toContain('--for-calls');
  expect(await signIn(KIM, 'kim', '--for-calls')).toMatchObject({ code: 0 });
  const { stdout } = await line.cli(['whoami', '--profile', 'kim']);
  expect(stdout).toContain('for `wharf tools` and `wharf call` alone');
  expect(await line.json(['tools', '--profile', 'kim'])).toMatchObject({
    tools: expect.arrayContaining([expect.objectContaining({ name: 'books__listBooks' })]),
  });
  const called = await line.cli(['call', 'books__listBooks', '--profile', 'kim']);
  expect([called.code, called.stdout]).toEqual([0, expect.stringContaining('title')]);
  const managing = await line.cli(['servers', '--profile', 'kim']);
  expect([managing.code, managing.stderr]).toEqual([1, expect.stringContaining('/v1/tenants/people')]);
});

test('lists the servers, and completes their names and those of profiles', async () => {
  const { stdout } = await line.cli(['servers'], '', withKey());
  expect(stdout).toMatch(/^books +Bookshop +#1 +http\S+\/t\/people\/books\/mcp$/m);
  const completed = (...words: string[]) => line.cli(['__complete', '--', ...words], '', withKey());
  expect((await completed('releases', '')).stdout).toBe('books\n');
  expect((await completed('call', '--server', 'bo')).stdout).toBe('books\n');
  expect((await completed('--profile', '')).stdout).toBe('owner\nkim\n');
  // Kim may list none, and nobody is asked anything.
  const silent = await completed('--profile', 'kim', 'releases', '');
  expect([silent.code, silent.stdout, silent.stderr]).toEqual([0, '', '']);
});

test('a log that is followed goes on after a restart, with each record once', async () => {
  const args = [line.program, 'logs', '-n', '0', '--follow', '--json', '--event', 'secret.written'];
  const env = { ...line.environment, ...withKey() };
  const child = spawn(process.execPath, args, { cwd: line.folder, env, stdio: 'pipe' });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const said = createInterface({ input: child.stderr })[Symbol.asyncIterator]();
  const next = async (): Promise<string> =>
    (JSON.parse(String((await lines.next()).value)) as { target: string }).target;
  const write = (name: string) => line.cli(['secrets', 'set', name], 'x', withKey());
  const untilSaid = async (part: string): Promise<void> => {
    for (;;) {
      const { value, done } = await said.next();
      if (done === true) throw new Error(`it ended before it said "${part}"`);
      if (String(value).includes(part)) return;
    }
  };
  await untilSaid('What comes next');
  await write('before');
  expect(await next()).toContain('before');
  await wharf.restart('SIGKILL');
  await write('after');
  await untilSaid('The log broke off');
  expect(await next()).toContain('after');
  child.kill();
});
