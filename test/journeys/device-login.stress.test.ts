import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { allowDevice, refuseDevice, signUp } from '#libs/journey';
import { startWharf, until, type Wharf } from '#libs/testing';
import { Client } from 'pg';
import { buildCli } from '../../scripts/build-cli.mjs';

const PERSON = { email: 'owner@device.example', password: 'correct horse battery staple' };
/** Asks for a token four times at once while nobody has decided, and keeps what was answered last. */
const IMPATIENT = `import { appendFileSync } from 'node:fs';
const once = globalThis.fetch;
globalThis.fetch = async (url, options) => {
  if (!String(url).endsWith('/auth/token')) return once(url, options);
  let [answer, said] = [undefined, 'authorization_pending'];
  for (let asked = 0; asked < 4 && said.includes('authorization_pending'); asked += 1) {
    answer = await once(url, options);
    said = await answer.clone().text();
  }
  appendFileSync(process.env.ANSWERS, said + '\\n');
  return answer;
};`;

let wharf: Wharf;
let program: string;
let folder: string;
let answers: string;

beforeAll(async () => {
  [wharf, program] = await Promise.all([startWharf(), buildCli()]);
  folder = mkdtempSync(path.join(tmpdir(), 'wharf-device-'));
  answers = path.join(folder, 'answers');
  writeFileSync(path.join(folder, 'impatient.mjs'), IMPATIENT);
  writeFileSync(answers, '');
  await signUp(wharf.url, { tenantName: 'Shop', slug: 'shop', ...PERSON });
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await wharf?.stop();
});

/** Runs `wharf login`, does something with the link that it shows, and gives how it ended. */
async function login(onLink: (url: URL) => Promise<unknown>, env: NodeJS.ProcessEnv = {}) {
  const args = [program, 'login', '--url', wharf.url, '--tenant', 'shop'];
  const own = { PATH: process.env['PATH'], HOME: folder, XDG_CONFIG_HOME: path.join(folder, 'config') };
  const child = spawn(process.execPath, args, { cwd: folder, env: { ...own, ...env }, stdio: 'pipe' });
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const stdout = text(child.stdout);
  const stderr: string[] = [];
  for await (const line of createInterface({ input: child.stderr })) {
    stderr.push(line);
    const link = /^Open (\S+)/.exec(line)?.[1];
    if (link !== undefined) await onLink(new URL(link));
  }
  return { code: await ended, stdout: await stdout, stderr: stderr.join('\n') };
}

test('a code that nobody allowed in time is said to have expired, and what to do', async () => {
  let code: string | null = null;
  const { code: ended, stderr } = await login(async (link) => {
    code = link.searchParams.get('user_code');
    const owner = new Client({ connectionString: wharf.databaseUrl });
    await owner.connect();
    await owner.query(`update oauth_artifacts set expires_at = now() where model = 'DeviceCode'`);
    await owner.end();
  });
  expect(ended).toBe(1);
  expect(stderr).toContain(`The code ${code} has expired: nobody opened the link and allowed it in time.`);
  expect(stderr).toContain('Run the command again; it shows a new link and code.');
});

test('a refusal in the browser is told as one', async () => {
  const { code, stderr } = await login((link) => refuseDevice(link, PERSON));
  expect(code).toBe(1);
  expect(stderr).toContain('It was refused in the browser');
  expect(stderr).toContain('run the command again and choose to allow it');
});

test('a program that asks too often is told to slow down, does, and gets in once it is allowed', async () => {
  const env = { NODE_OPTIONS: `--import=${path.join(folder, 'impatient.mjs')}`, ANSWERS: answers };
  let waited = false;
  const { code, stdout } = await login(async (link) => {
    await until(() => readFileSync(answers, 'utf8').includes('slow_down'), 'a request to slow down');
    waited = true;
    await allowDevice(link, PERSON);
  }, env);
  expect([waited, code, stdout]).toEqual([true, 0, expect.stringContaining('Signed in to shop')]);
});
