import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { connectWithApiKey, signUp, WharfApi } from '#libs/journey';
import { packBundle, startObjectStore, startWharf, type TestObjectStore, type Wharf } from '#libs/testing';
import { Client } from 'pg';
import { SERVERS } from './bundles.fixture.js';

let store: TestObjectStore;
let wharf: Wharf;
let api: WharfApi;
let apiKey: string;
let digest: string;
const archive = packBundle(SERVERS.dual);

beforeAll(async () => {
  store = await startObjectStore();
  wharf = await startWharf({ environment: store.settings });
  const owner = { email: 'owner@far.example', password: 'far correct horse battery' };
  apiKey = (await signUp(wharf.url, { tenantName: 'Far', slug: 'far', ...owner })).api_key.text;
  api = new WharfApi({ publicUrl: wharf.url, apiKey });
  digest = await api.uploadArtefact('application/zip', new Uint8Array(archive));
});
afterAll(async () => {
  await wharf.stop();
  await store.stop();
});

/** What `GET /v1/audit/archives` answers. */
interface Archives {
  readonly archives: ReadonlyArray<{ readonly first_leaf: number; readonly digest: string }>;
}

const manage = (method: string, path: string): Promise<Response> =>
  fetch(`${wharf.url}${path}`, { method, headers: { authorization: `Bearer ${apiKey}` } });

async function echo(): Promise<unknown> {
  const agent = await connectWithApiKey({ url: `${wharf.url}/t/far/dual/mcp`, apiKey, protocol: 'auto' });
  const called = await agent.client.callTool({ name: 'echo', arguments: { text: 'from afar' } });
  await agent.close();
  return called.structuredContent;
}

/** Waits for what the background service does. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 150_000; !(await isSo()); await wait(500))
    if (Date.now() > end) throw new Error('it never was so');
}

test('a bundle is stored, built, and started from the object store, also after everything was killed', async () => {
  const mine = [...store.objects].filter(([key]) => key.includes(digest.slice(7)));
  expect(mine.map(([, content]) => content.equals(archive))).toEqual([true]);
  await api.createServer('dual', 'Dual');
  await api.allowWrites('dual');
  const { release } = await api.createRelease('dual', { kind: 'bundle', artefact: digest });
  await api.publish('dual', release.id);
  expect(await echo()).toMatchObject({ said: 'from afar' });
  store.requests.length = 0;
  await wharf.restart('SIGKILL');
  expect(await echo()).toMatchObject({ said: 'from afar' });
  expect(
    store.requests.filter((request) => request.startsWith('GET') && request.includes(digest.slice(7))),
  ).not.toEqual([]);
});

test('while the object store is away an upload is refused, and what is there is not harmed', async () => {
  store.failNext(...Array.from({ length: 4 }, () => ({ status: 503, code: 'SlowDown' }) as const));
  const refused = await fetch(`${wharf.url}/v1/artefacts`, {
    method: 'POST',
    headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/zip' },
    body: new Uint8Array(Buffer.from('another')),
  });
  expect([refused.status, await refused.text()]).toEqual([503, expect.not.stringContaining('WHARF_BLOBS_URL')]);
  expect(await echo()).toMatchObject({ said: 'from afar' });
});

test('what is deleted leaves the object store', async () => {
  const other = await api.uploadArtefact('application/json', new Uint8Array(Buffer.from('{"openapi":"3.1.0"}')));
  const isThere = (): boolean => [...store.objects.keys()].some((key) => key.includes(other.slice(7)));
  expect(isThere()).toBe(true);
  expect((await manage('DELETE', `/v1/artefacts/${other}`)).status).toBe(204);
  await until(async () => !isThere());
});

test('an archive of the log is in the object store and is downloaded from there', async () => {
  const owner = new Client({ connectionString: wharf.databaseUrl });
  await owner.connect();
  await until(async () => {
    const { rows } = await owner.query(`select from audit_checkpoints where size > 5`);
    return rows.length > 0;
  });
  await owner.query(`set session_replication_role = replica`);
  await owner.query(`update audit_log set at = at - interval '500 days'`);
  await owner.query(`update audit_trees set archive_due = now() - interval '1 day'`);
  await owner.end();
  await wharf.restart('SIGTERM');
  let archives: Archives['archives'] = [];
  await until(async () => {
    const listed = (await (await manage('GET', '/v1/audit/archives')).json()) as Archives; // as its schema says
    ({ archives } = listed);
    return archives.length > 0;
  });
  const [first] = archives;
  const stored = [...store.objects].filter(([key]) => key.includes(first?.digest.slice(7) ?? 'nothing'));
  const download = await manage('GET', `/v1/audit/archives/${first?.first_leaf}`);
  const content = Buffer.from(await download.arrayBuffer());
  expect(stored.map(([, bytes]) => bytes.equals(content))).toEqual([true]);
});
