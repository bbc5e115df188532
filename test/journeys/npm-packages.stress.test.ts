import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { connectWithApiKey, signUp, WharfApi } from '#libs/journey';
import { relayTo, startWharf, type Relay, type Wharf } from '#libs/testing';

/** The registry that npm itself is set to. */
const REGISTRY = execFileSync('npm', ['config', 'get', 'registry'], { encoding: 'utf8', stdio: 'pipe' }).trim();
const ANSWER_MS = 5_000;
const reachable = await fetch(new URL('-/ping', REGISTRY), { signal: AbortSignal.timeout(ANSWER_MS) }).then(
  ({ ok }) => ok,
  () => false,
);
/** Where nobody sees that a test was skipped, it fails. */
const inCi = (process.env['CI'] ?? '') !== '';

let relay: Relay;
let wharf: Wharf;
let api: WharfApi;
let apiKey: string;

const entryOf = (name: string, version: string, extra: object = {}) => ({
  name: `io.github.modelcontextprotocol/${name}`,
  packages: [
    {
      registryType: 'npm',
      registryBaseUrl: 'https://registry.npmjs.org',
      identifier: `@modelcontextprotocol/${name}`,
      version,
      runtimeHint: 'npx',
      transport: { type: 'stdio' },
      ...extra,
    },
  ],
});

const SOURCES = {
  everything: { kind: 'npm', package: '@modelcontextprotocol/server-everything', version: '2026.8.31' },
  memory: {
    kind: 'npm',
    serverJson: entryOf('server-memory', '2026.8.31', {
      environmentVariables: [
        {
          name: 'MEMORY_FILE_PATH',
          value: '{folder}/memory.jsonl',
          variables: { folder: { format: 'filepath', isRequired: true } },
        },
      ],
    }),
    config: { folder: { folder: 'home' } },
  },
  filesystem: {
    kind: 'npm',
    serverJson: entryOf('server-filesystem', '2026.8.31', {
      packageArguments: [
        { type: 'positional', valueHint: 'folder', format: 'filepath', isRequired: true, isRepeated: true },
      ],
    }),
    config: { folder: { folder: 'home' } },
  },
} as const;

type Kind = keyof typeof SOURCES;

const ERAS = [
  ['default', '2025-11-25'],
  ['auto', '2026-07-28'],
] as const;

beforeAll(async () => {
  if (!reachable && inCi) throw new Error(`${REGISTRY} did not answer a ping, so no package was tried. Run it again.`);
  if (!reachable) return;
  relay = await relayTo(REGISTRY);
  wharf = await startWharf({ environment: { WHARF_REGISTRY_URL: relay.url } });
  const owner = { email: 'owner@packages.example', password: 'packages correct horse battery' };
  apiKey = (await signUp(wharf.url, { tenantName: 'Packages', slug: 'packages', ...owner })).api_key.text;
  api = new WharfApi({ publicUrl: wharf.url, apiKey });
  for (const [kind, source] of Object.entries(SOURCES)) {
    await api.createServer(kind, `Package ${kind}`);
    await api.allowWrites(kind);
    const { release } = await api.createRelease(kind, source);
    await api.publish(kind, release.id);
  }
}, 400_000);
afterAll(async () => {
  if (!reachable) return;
  await wharf?.stop();
  await relay?.stop();
});

/** A tenant's server as a real client of an era sees it, until `use` is done. */
async function using(kind: Kind, protocol: 'default' | 'auto', use: (agent: Agent) => Promise<void>): Promise<void> {
  const agent = await connectWithApiKey({ url: `${wharf.url}/t/packages/${kind}/mcp`, apiKey, protocol });
  try {
    await use(agent);
  } finally {
    await agent.close();
  }
}
type Agent = Awaited<ReturnType<typeof connectWithApiKey>>;
const call = async ({ client }: Agent, name: string, args: Record<string, unknown> = {}): Promise<string> => {
  const { content, isError } = await client.callTool({ name, arguments: args });
  const text = (content as Array<{ text?: string }>).map((part) => part.text ?? '').join('\n');
  return isError === true ? `error: ${text}` : text;
};

(reachable || inCi ? describe : describe.skip).each(ERAS)(
  'packages of the public registry, mode %s',
  (protocol, version) => {
    test('server-everything answers', () =>
      using('everything', protocol, async (agent) => {
        expect(agent.client.getNegotiatedProtocolVersion()).toBe(version);
        const names = (await agent.client.listTools()).tools.map(({ name }) => name);
        expect(names).toEqual(expect.arrayContaining(['echo', 'get-sum']));
        expect(await call(agent, 'echo', { message: 'hello' })).toBe('Echo: hello');
        expect(await call(agent, 'get-sum', { a: 2, b: 3 })).toContain('5');
        expect((await agent.client.listResources()).resources.length).toBeGreaterThan(0);
        expect((await agent.client.listPrompts()).prompts.length).toBeGreaterThan(0);
      }));

    test('server-memory keeps a graph in its scratch folder', () =>
      using('memory', protocol, async (agent) => {
        const entity = { name: `Wharf ${protocol}`, entityType: 'platform', observations: ['runs packages'] };
        await call(agent, 'create_entities', { entities: [entity] });
        expect(await call(agent, 'search_nodes', { query: 'packages' })).toContain(`Wharf ${protocol}`);
      }));

    test('server-filesystem sees its scratch folder and nothing else', () =>
      using('filesystem', protocol, async (agent) => {
        const home = (await call(agent, 'list_allowed_directories')).split('\n')[1] ?? '';
        expect(home).toMatch(/\/home-\d+$/);
        await call(agent, 'write_file', { path: `${home}/note.txt`, content: 'kept' });
        expect(await call(agent, 'read_text_file', { path: `${home}/note.txt` })).toBe('kept');
        expect(await call(agent, 'read_text_file', { path: '/etc/passwd' })).toMatch(/^error: .*denied/);
        expect(await call(agent, 'write_file', { path: `${home}/../out.txt`, content: 'x' })).toMatch(
          /^error: .*denied/,
        );
      }));
  },
);
