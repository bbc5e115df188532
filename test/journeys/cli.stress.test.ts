import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { allowDevice, HttpDoor, OperatorApi, signUp, startUpstream, type Upstream } from '#libs/journey';
import { bundleManifest, startWharf, type Wharf } from '#libs/testing';
import { CommandLine } from './cli.fixture.js';
import { ECHO } from './echo-server.fixture.js';
import { askInVain } from './ask-in-vain.fixture.js';
import { writeAndRestoreSecret } from './secret-versions.fixture.js';
import { decideOnCalls } from './decide-on-calls.fixture.js';
import { retryAnImport } from './import-retries.fixture.js';
import { takeTheTenantAlong } from './tenant-along.fixture.js';

const PERSON = { email: 'owner@cli.example', password: 'correct horse battery staple' };

let wharf: Wharf;
let upstream: Upstream;
let line: CommandLine;
let folder: string;
let cli: CommandLine['cli'];
let json: CommandLine['json'];
let apiKey: string;

beforeAll(async () => {
  [wharf, upstream, line] = await Promise.all([startWharf(), startUpstream(), CommandLine.build()]);
  ({ folder, cli, json } = line);
  const signedUp = await signUp(wharf.url, { tenantName: 'Shop', slug: 'shop', ...PERSON });
  apiKey = signedUp.api_key.text;
  const operator = new OperatorApi({ publicUrl: wharf.url, operatorKey: wharf.operatorKey });
  await operator.allowEgress('shop', upstream.host, upstream.port, 'the shop’s own upstream');
});
afterAll(async () => {
  line?.remove();
  await Promise.all([wharf?.stop(), upstream?.stop()]);
});

/** Signs the owner in on another device, as one does who has this terminal and a browser. */
async function signInAsOwner(...more: readonly string[]): Promise<void> {
  const args = [line.program, 'login', '--url', wharf.url, '--tenant', 'shop', ...more];
  const child = spawn(process.execPath, args, { cwd: folder, env: line.environment, stdio: 'pipe' });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  for await (const line of createInterface({ input: child.stderr })) {
    const url = /^Open (\S+)/.exec(line)?.[1];
    if (url === undefined) continue;
    await allowDevice(new URL(url), PERSON);
    break;
  }
  expect(await ended).toBe(0);
}

function writeShop(description: string): void {
  const tool = { name: 'list_books', description, method: 'GET', url: `${upstream.url}/books` };
  const annotations = { readOnlyHint: true };
  const inputSchema = { type: 'object', properties: { genre: { type: 'string' } } };
  const source = { kind: 'http', tools: [{ ...tool, inputSchema, annotations }] };
  writeFileSync(path.join(folder, 'wharf.json'), JSON.stringify({ server: 'books', name: 'Books', source }));
}

describe('the command line', () => {
  test('says what to do where nobody is signed in, or nothing is there to sign in to', async () => {
    const nobody = await cli(['whoami']);
    expect([nobody.code, nobody.stderr]).toEqual([1, expect.stringContaining('wharf login --url')]);
    const nowhere = await cli(['login', '--url', 'http://127.0.0.1:9', '--tenant', 'shop']);
    expect([nowhere.code, nowhere.stderr]).toEqual([1, expect.stringContaining('does not answer')]);
    const unknown = await cli(['login', '--url', wharf.url, '--tenant', 'nobody']);
    expect([unknown.code, unknown.stderr]).toEqual([1, expect.stringContaining('--tenant')]);
  });

  test('says in a sentence why nothing of its version answers', () => askInVain(cli, apiKey));

  test('signs a person in on another device, keeps that to itself, and ends it', async () => {
    await signInAsOwner();
    expect(await json(['whoami'])).toMatchObject({ profile: 'shop', means: 'sign-in', tenant: { slug: 'shop' } });
    const file = path.join(folder, 'config', 'wharf', 'profiles.json');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const { profiles } = JSON.parse(readFileSync(file, 'utf8')) as { profiles: { shop: { grants: object } } };
    const [grant] = Object.values(profiles.shop.grants) as Array<{ accessToken: string }>;
    const unasked = await cli(['tools']);
    expect([unasked.code, unasked.stderr]).toEqual([
      1,
      expect.stringContaining('Run the same command once in a terminal'),
    ]);
    expect((await cli(['call', 'books__list_books', '--json'])).stdout).toContain('WHARF_API_KEY');
    await takeTheTenantAlong({ cli, json, folder, key: { WHARF_URL: wharf.url, WHARF_API_KEY: apiKey } });
    expect((await cli(['logout'])).code).toBe(0);
    expect(readFileSync(file, 'utf8')).not.toContain(grant?.accessToken);
    expect((await cli(['whoami'])).code).toBe(1);
  });

  test('sees imports that failed, and tries one again with an operator’s key', () =>
    retryAnImport({ cli, folder, wharf }));

  test('keeps an API key from standard input, and takes one from the environment', async () => {
    const bad = await cli(['login', '--url', wharf.url, '--with-api-key'], 'nonsense');
    expect([bad.code, bad.stderr]).toEqual([1, expect.stringContaining('401')]);
    expect(await json(['login', '--url', wharf.url, '--with-api-key'], `${apiKey}\n`)).toMatchObject({
      tenant: 'shop',
    });
    const given = await cli(['whoami'], '', { WHARF_URL: wharf.url, WHARF_API_KEY: apiKey });
    expect(given.stdout).toContain('Shop (shop)');
    expect(given.stdout).not.toContain(apiKey);
  });

  test('deploys a folder, calls its tool, deploys again, rolls back', async () => {
    expect((await cli(['init', '--server', 'books'])).code).toBe(0);
    expect((await cli(['init'])).stderr).toContain('is there already');
    writeShop('Lists books.');
    const first = await cli(['deploy']);
    expect([first.code, first.stdout]).toEqual([0, expect.stringContaining(`${wharf.url}/t/shop/books/mcp`)]);
    writeShop('Lists every book of the shop.');
    expect(await json(['deploy', '.', '--release-version', '1.1.0'])).toMatchObject({
      server: 'books',
      release: { number: 2, state: 'live' },
    });
    expect(await json(['tools'])).toMatchObject({ tools: [{ name: 'books__list_books' }] });
    const called = await cli(['call', 'list_books', '--server', 'books']);
    expect([called.code, called.stdout]).toEqual([0, expect.stringContaining('title')]);
    expect(await json(['releases', 'books'])).toMatchObject({
      releases: [
        { number: 2, version: '1.1.0', state: 'live' },
        { number: 1, state: 'superseded' },
      ],
    });
    expect((await cli(['releases', 'books', '--diff', '1..2'])).stdout).toContain('list_books');
    expect((await cli(['rollback', 'books'])).stdout).toContain('#1');
    expect((await cli(['publish', 'books', '1.1.0'])).stdout).toContain('#2 of books is live');
  });

  test('lists calls that wait, and lets a person approve one and refuse another', () =>
    decideOnCalls({ cli, json, signInAsOwner, door: new HttpDoor(wharf.url, apiKey) }));

  test('rolls a release out, moves it, and follows it to its end', async () => {
    expect((await cli(['rollout', 'status', 'books'])).stderr).toContain('never had a rollout');
    const waiting = ['rollout', 'start', 'books', '1', '--steps', '10:1h,100:1h'];
    expect((await cli(waiting)).stdout).toContain('The canary of release #1 of books begins');
    expect((await cli(waiting)).stderr).toContain('409');
    await expect(json(['rollout', 'status', 'books'])).resolves.toMatchObject({
      rollout: { strategy: 'canary', steps: [{ percent: 10, seconds: 3600 }, { percent: 100 }] },
    });
    expect((await cli(['rollout', 'abort', 'books'])).stdout).toContain('The rollout is aborted.');
    expect((await cli(['rollout', 'status', 'books'])).stdout).toContain('canary of #1 beside #2 (1.1.0)');
    expect((await cli(['rollout', 'status', 'books', '--follow'])).code).toBe(1);
    const atOnce = 'rollout start books 1 --strategy blue-green --drain 0 --follow';
    const followed = await cli(atOnce.split(' '));
    expect([followed.code, followed.stdout]).toEqual([0, expect.stringMatching(/^promoted$/m)]);
    expect((await cli(['rollout', 'pause', 'books'])).stderr).toContain('The rollout is over');
  });

  test('deploys an OpenAPI document, and the folder of a bundle', async () => {
    writeFileSync(path.join(folder, 'shop.json'), JSON.stringify(upstream.openapi));
    expect(await json(['deploy', 'shop.json', '--server', 'shop-api'])).toMatchObject({ release: { state: 'live' } });
    mkdirSync(path.join(folder, 'echo', 'server'), { recursive: true });
    writeFileSync(path.join(folder, 'echo', 'manifest.json'), bundleManifest({ name: 'echo' }));
    writeFileSync(path.join(folder, 'echo', 'server', 'index.mjs'), ECHO);
    expect(await json(['deploy', 'echo'])).toMatchObject({ server: 'echo', release: { state: 'live' } });
    expect((await cli(['call', 'echo__echo', '-a', 'text=hello'])).stdout).toContain('hello');
    writeFileSync(path.join(folder, 'wrong.json'), '{"openapi": 3}');
    expect((await cli(['deploy', 'wrong.json'])).stderr).toContain('no OpenAPI 3 document');
  });

  test('tells an unknown tool, arguments that are none, and a release that is not there', async () => {
    expect((await cli(['call', 'books__burn'])).stderr).toContain('wharf tools');
    expect((await cli(['call', 'books__list_books', '--args', '[1]'])).stderr).toContain('JSON object');
    expect((await cli(['call', 'books__list_books', '--arg', 'x'])).stderr).toContain('name=value');
    expect((await cli(['publish', 'books', '9'])).stderr).toContain('wharf releases books');
    expect((await cli(['rollout', 'start', 'books', '2', '--steps', '10:5m,50'])).stderr).toContain('"50" is no step');
    expect((await cli(['rollout', 'start', 'books', '2', '--drain', 'soon'])).stderr).toContain('whole number');
    expect((await cli(['deploy', 'nothing-here'])).stderr).toContain('no file or folder');
    const refused = JSON.parse((await cli(['rollback', 'nobody', '--json'])).stdout) as { error: object };
    expect(refused.error).toMatchObject({ status: 404, code: 'not_found' });
  });

  test('stores a secret from standard input, restores its versions, and never shows a value', () =>
    writeAndRestoreSecret({ cli, json }));

  test('shows the log, and follows it', async () => {
    const shown = await cli(['logs', 'books', '--event', 'call.completed']);
    expect(shown.stdout).toMatch(/ok .*call\.completed {2}books list_books/);
    const child = spawn(process.execPath, [line.program, 'logs', '-n', '0', '--follow', '--event', 'secret.written'], {
      cwd: folder,
      env: line.environment,
      stdio: 'pipe',
    });
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const next = lines.next();
    await once(child.stderr, 'data');
    await cli(['secrets', 'set', 'followed'], 'x');
    expect((await next).value).toContain('secret.written');
    child.kill();
  });

  test('verifies the log against the checkpoint it kept, and notices when history changes', async () => {
    const first = await json(['audit', 'verify']);
    expect(first).toMatchObject({ verified: true });
    const kept = path.join(folder, 'config', 'wharf', 'checkpoints', new URL(wharf.url).host.replace(':', '_'), 'shop');
    const file = readdirSync(kept).find((name) => name.endsWith('.checkpoint')) ?? '';
    const note = readFileSync(path.join(kept, file), 'utf8');
    // Another root under the same signature: what a checkpoint kept elsewhere would look like after a rewrite.
    writeFileSync(path.join(kept, file), note.replace(/\n([^\n]{8})[^\n]{4}/, '\n$1AAAA'));
    const second = await cli(['audit', 'verify']);
    expect([second.code, second.stdout]).toEqual([1, expect.stringContaining('DIFFERENT')]);
  });
});
