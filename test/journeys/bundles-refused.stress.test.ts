import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { ApiProblem, connectWithApiKey, signUp, WharfApi } from '#libs/journey';
import { bundleManifest, packBundle, startWharf, zipOf, type Wharf } from '#libs/testing';
import { SERVERS } from './bundles.fixture.js';

interface Tenant {
  readonly api: WharfApi;
  readonly apiKey: string;
}

async function openTenant({ url }: Wharf): Promise<Tenant> {
  const owner = { email: 'owner@packed.example', password: 'packed correct horse battery' };
  const apiKey = (await signUp(url, { tenantName: 'Packed', slug: 'packed', ...owner })).api_key.text;
  const api = new WharfApi({ publicUrl: url, apiKey });
  await api.createServer('packed', 'Packed');
  return { api, apiKey };
}

async function build({ api }: Tenant, archive: Buffer) {
  const artefact = await api.uploadArtefact('application/octet-stream', new Uint8Array(archive));
  return api.createRelease('packed', { kind: 'bundle', artefact });
}

async function refusalOf(tenant: Tenant, archive: Buffer): Promise<{ status: number; text: string }> {
  const error: unknown = await build(tenant, archive).catch((thrown: unknown) => thrown);
  if (!(error instanceof ApiProblem)) throw new Error('it was not refused');
  return { status: error.status, text: JSON.stringify(error.problem) };
}

const SERVER = { name: 'server/index.mjs', content: 'process.exit(1)' };
const MANIFEST = { name: 'manifest.json', content: bundleManifest() };
const withManifest = (extra: Readonly<Record<string, unknown>>): Buffer =>
  zipOf([{ name: 'manifest.json', content: bundleManifest(extra) }, SERVER]);
const server = (entryPoint: string, type = 'node') => ({ server: { type, entry_point: entryPoint } });
const toolServer = (tool: string): string => SERVERS.legacy.replace('const tools = [', `const tools = [${tool},`);

describe('workers that are plain processes', () => {
  test('run no bundle unless an operator says so', async () => {
    const wharf = await startWharf({ environment: { WHARF_WORKER_DRIVER: 'process' } });
    try {
      const tenant = await openTenant(wharf);
      expect(await refusalOf(tenant, packBundle(SERVERS.dual))).toMatchObject({
        status: 503,
        text: expect.stringContaining('runs no code of others'),
      });
    } finally {
      await wharf.stop();
    }
  });
});

describe('workers that are plain processes where an operator lets bundles run in them', () => {
  let wharf: Wharf;
  let tenant: Tenant;
  beforeAll(async () => {
    wharf = await startWharf({ environment: { WHARF_WORKER_DRIVER: 'process', WHARF_ALLOW_UNSANDBOXED: 'true' } });
    tenant = await openTenant(wharf);
  });
  afterAll(() => wharf.stop());

  test('serve a bundle', async () => {
    const { release } = await build(tenant, packBundle(SERVERS.dual));
    await tenant.api.publish('packed', release.id);
    const agent = await connectWithApiKey({ url: `${wharf.url}/t/packed/packed/mcp`, apiKey: tenant.apiKey });
    const called = await agent.client.callTool({ name: 'echo', arguments: { text: 'hello' } });
    expect(called.structuredContent).toMatchObject({ said: 'hello' });
    await agent.close();
  });

  test('serve a bundle that the official packer has packed and signed, as it is set up for Linux', async () => {
    const archive = readFileSync('test/journeys/packed-bundle/greeter.mcpb');
    const artefact = await tenant.api.uploadArtefact('application/octet-stream', new Uint8Array(archive));
    const config = { greeting: 'Good day' };
    const { release } = await tenant.api.createRelease('packed', { kind: 'bundle', artefact, config });
    await tenant.api.publish('packed', release.id, 'breaking is meant');
    const agent = await connectWithApiKey({ url: `${wharf.url}/t/packed/packed/mcp`, apiKey: tenant.apiKey });
    const called = await agent.client.callTool({ name: 'greet', arguments: { name: 'Ann' } });
    expect(called.content).toEqual([{ type: 'text', text: 'Good day, Ann! --linux linux' }]);
    await agent.close();
  });

  test.each([
    ['what is no archive', Buffer.from('no archive'), 'The archive cannot be unpacked'],
    ['an archive cut short', packBundle(SERVERS.dual).subarray(0, 20_000), 'The archive cannot be unpacked'],
    ['a name that leads out', zipOf([MANIFEST, { name: '../out.txt' }]), 'invalid relative path'],
    ['an absolute name', zipOf([MANIFEST, { name: '/etc/out.txt' }]), 'absolute path'],
    ['a name with a backslash', zipOf([MANIFEST, { name: 'a\\..\\b' }]), 'invalid characters'],
    [
      'a link',
      zipOf([MANIFEST, { name: 'link', content: '/etc/passwd', mode: 0o120777 }]),
      'is a link or a special file',
    ],
    ['a device', zipOf([MANIFEST, { name: 'device', mode: 0o020666 }]), 'is a link or a special file'],
    ['two entries of one name', zipOf([MANIFEST, SERVER, SERVER]), 'have the same name'],
    [
      'too many entries',
      zipOf(Array.from({ length: 5_001 }, (_, at) => ({ name: `f${at}` }))),
      'more than 5000 entries',
    ],
    [
      'more than 100 MiB when unpacked',
      zipOf([MANIFEST, { name: 'zeros', content: Buffer.alloc(101 * 1024 * 1024) }]),
      'more than 104857600 bytes',
    ],
    ['no manifest', zipOf([SERVER]), 'has no manifest.json'],
    ['a manifest that is no JSON', zipOf([{ name: 'manifest.json', content: '{' }, SERVER]), '/artefact/manifest.json'],
    ['a server that is a program', withManifest(server('server/index.mjs', 'binary')), 'servers are not run here'],
    ['a server of Python', withManifest(server('server/main.py', 'python')), 'Pack a server of the type'],
    ['a server that uv runs', withManifest(server('server/main.py', 'uv')), 'Pack a server of the type'],
    [
      'a bundle for other systems',
      withManifest({ compatibility: { platforms: ['darwin', 'win32'] } }),
      'for darwin, win32 only',
    ],
    ['an entry point outside', withManifest(server('../../bin/node')), 'leads out of the bundle'],
    ['an absolute entry point', withManifest(server('/bin/node')), 'leads out of the bundle'],
    ['an entry point that is not there', withManifest(server('server/main.mjs')), 'There is no such file'],
    [
      'a setting that it cannot do without',
      withManifest({ user_config: { token: { type: 'string', title: 'Token', required: true } } }),
      '/artefact/manifest.json/user_config/token',
    ],
    ['a server that ends', zipOf([MANIFEST, SERVER]), 'did not start and list its tools'],
    [
      'a server that says why it ends',
      zipOf([MANIFEST, { ...SERVER, content: 'throw new Error("no database")' }]),
      'no database',
    ],
    [
      'a tool whose description hides something',
      packBundle(toolServer(`{ name: 'sly', description: 'a\\u200bb', inputSchema: { type: 'object' } }`)),
      'U+200B',
    ],
    [
      'a tool whose name clients refuse',
      packBundle(toolServer(`{ name: 'bad name', description: 'x', inputSchema: { type: 'object' } }`)),
      '/artefact/tools/0/name',
    ],
  ])('refuse %s', async (_what, archive, sentence) => {
    expect(await refusalOf(tenant, archive)).toMatchObject({ status: 422, text: expect.stringContaining(sentence) });
  });
});
