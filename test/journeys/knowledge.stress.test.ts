import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { connectWithApiKey, signUp, WharfApi, type Agent, type AgentProtocol } from '#libs/journey';
import { startWharf, type Wharf } from '#libs/testing';
import { buildCli } from '../../scripts/build-cli.mjs';

const ERAS = ['default', '2026-07-28'] as const satisfies readonly AgentProtocol[];

let wharf: Wharf;
const keys = new Map<string, string>();

/** Two tenants with a server of the same name, and a document of the same name in it that only its tenant may see. */
beforeAll(async () => {
  wharf = await startWharf();
  for (const tenant of ['ants', 'bees']) await openTeam(tenant);
});
afterAll(() => wharf?.stop());

async function openTeam(tenant: string): Promise<void> {
  const owner = { email: `owner@${tenant}.example`, password: 'knowledge correct horse battery' };
  const { api_key } = await signUp(wharf.url, { tenantName: tenant, slug: tenant, ...owner });
  keys.set(tenant, api_key.text);
  const api = new WharfApi({ publicUrl: wharf.url, apiKey: api_key.text });
  await api.createServer('team', 'Team');
  const source = { kind: 'knowledge', title: 'Team memory', language: 'english', memory: true };
  const { release } = await api.createRelease('team', source);
  expect(release).toMatchObject({ kind: 'knowledge', tools: 5 });
  await api.publish('team', release.id);
  const made = await manage(tenant, 'POST', '/v1/servers/team/documents', {
    name: 'secret',
    title: `The secret of the ${tenant}`,
    text: `CANARY-${tenant} lives in the queen’s chamber.`,
  });
  expect(made).toMatchObject({ document: { language: 'english', version: 1 } });
}

function keyOf(tenant: string): string {
  return keys.get(tenant) ?? '';
}

async function manage(tenant: string, method: string, path: string, body: object): Promise<unknown> {
  const response = await fetch(`${wharf.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${keyOf(tenant)}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(await response.text());
  return response.json();
}

function connect(tenant: string, protocol: AgentProtocol, path = '/team/mcp'): Promise<Agent> {
  return connectWithApiKey({ url: `${wharf.url}/t/${tenant}${path}`, apiKey: keyOf(tenant), protocol });
}

/** Resolves with the next notification of a kind. */
function next(
  { client }: Agent,
  method: 'notifications/resources/updated' | 'notifications/resources/list_changed',
): Promise<unknown> {
  return new Promise((resolve) => client.setNotificationHandler(method, resolve));
}

test.each(ERAS)(
  'an agent of %s finds, reads and completes what its team knows, and nothing of another team',
  async (era) => {
    for (const [tenant, other] of [
      ['ants', 'bees'],
      ['bees', 'ants'],
    ] as const) {
      const agent = await connect(tenant, era);
      const { client } = agent;
      const { tools } = await client.listTools();
      expect(tools.map(({ name }) => name)).toEqual(['search_documents', 'read_document']); // writing is off
      const found = await client.callTool({ name: 'search_documents', arguments: { query: 'chambers queens' } });
      const uri = 'knowledge://team/notes/secret';
      expect(found.structuredContent).toMatchObject({
        results: [{ uri, title: `The secret of the ${tenant}`, version: 1 }],
      });
      expect(found.content).toMatchObject([
        { type: 'text' },
        { type: 'resource_link', uri, mimeType: 'text/markdown' },
      ]);
      const foreign = await client.callTool({ name: 'search_documents', arguments: { query: `CANARY-${other}` } });
      const listed = await client.listResources();
      expect(listed.resources).toMatchObject([{ uri, name: 'notes/secret' }]);
      const read = await client.readResource({ uri });
      expect(read.contents).toMatchObject([{ uri, text: expect.stringContaining(`CANARY-${tenant}`) }]);
      const {
        resourceTemplates: [template],
      } = await client.listResourceTemplates();
      const ref = { type: 'ref/resource' as const, uri: template?.uriTemplate ?? '' };
      const names = await client.complete({
        ref,
        argument: { name: 'name', value: 's' },
        context: { arguments: { collection: 'notes' } },
      });
      expect(names.completion.values).toEqual(['secret']);
      const broken = await client.callTool({ name: 'search_documents', arguments: { query: 'queen\u0000\n"' } });
      expect(broken.structuredContent).toMatchObject({ results: [{ uri }] });
      await expect(client.listResources({ cursor: 'bm8' })).rejects.toMatchObject({ code: -32602 });
      expect(JSON.stringify([found, foreign, listed, read])).not.toContain(`CANARY-${other}`);
      await expect(client.readResource({ uri: 'knowledge://team/notes/none' })).rejects.toMatchObject({ code: -32602 });
      await agent.close();
    }
  },
);

test('a team that opts in to writing lets its agents remember, update and forget, and listeners of both eras hear of it', async () => {
  await manage('ants', 'PATCH', '/v1/servers/team', { writes: true });
  const uri = 'knowledge://team/notes/where-the-sugar-is';
  const [old, modern] = await Promise.all(ERAS.map((era) => connect('ants', era)));
  const stranger = await connect('bees', 'default');
  if (old === undefined || modern === undefined) throw new Error('two eras');
  let strange = 0;
  stranger.client.setNotificationHandler('notifications/resources/list_changed', () => void (strange += 1));
  await old.client.subscribeResource({ uri });
  const subscription = await modern.client.listen({ resourcesListChanged: true, resourceSubscriptions: [uri] });
  const heard = [old, modern].map((agent) => next(agent, 'notifications/resources/updated'));
  const lists = [old, modern].map((agent) => next(agent, 'notifications/resources/list_changed'));
  const { tools } = await old.client.listTools();
  expect(
    Object.fromEntries(
      tools.map(({ name, annotations: hints }) => [name, [hints?.readOnlyHint, hints?.destructiveHint]]),
    ),
  ).toEqual({
    search_documents: [true, undefined],
    read_document: [true, undefined],
    remember: [false, false],
    update_document: [false, true],
    forget_document: [false, true],
  });
  const note = { title: 'Where the sugar is', text: 'In the kitchen, behind the tea.', tags: ['food'] };
  const saved = await modern.client.callTool({ name: 'remember', arguments: note });
  expect(saved.structuredContent).toEqual({ uri, version: 1 });
  expect(await Promise.all(heard)).toMatchObject([{ params: { uri } }, { params: { uri } }]);
  await Promise.all(lists);
  expect(strange).toBe(0);
  const hidden = await old.client.callTool({ name: 'update_document', arguments: { uri, text: 'A\u{E0041}B' } });
  expect(hidden).toMatchObject({ isError: true, content: [{ text: expect.stringContaining('U+E0041') }] });
  const change = { uri, text: 'It is all gone.', version: 1 };
  const updated = await old.client.callTool({ name: 'update_document', arguments: change });
  expect(updated.structuredContent).toEqual({ uri, version: 2 });
  const stale = await modern.client.callTool({ name: 'update_document', arguments: change });
  expect(stale).toMatchObject({ isError: true, content: [{ text: expect.stringContaining('version 2 by now') }] });
  const read = await modern.client.callTool({ name: 'read_document', arguments: { uri } });
  expect(read.content).toMatchObject([{ text: expect.stringContaining('version 2') }, { text: 'It is all gone.' }]);
  const forgotten = await modern.client.callTool({ name: 'forget_document', arguments: { uri, version: 2 } });
  expect(forgotten.structuredContent).toEqual({ uri });
  await expect(old.client.readResource({ uri })).rejects.toMatchObject({ code: -32602 });
  await subscription.close();
  await Promise.all([old, modern, stranger].map((agent) => agent.close()));
});

test('a key that may only read writes nothing, and one without the server’s scope reads nothing', async () => {
  const api = new WharfApi({ publicUrl: wharf.url, apiKey: keyOf('ants') });
  const reader = await api.createApiKey('reader', ['team:read']);
  const agent = await connectWithApiKey({ url: `${wharf.url}/t/ants/mcp`, apiKey: reader.text });
  const found = await agent.client.callTool({ name: 'team__search_documents', arguments: { query: 'queen' } });
  expect(found.structuredContent).toMatchObject({ results: [{ uri: 'knowledge://team/notes/secret' }] });
  const arguments_ = { title: 'x', text: 'y' };
  await expect(agent.client.callTool({ name: 'team__remember', arguments: arguments_ })).rejects.toThrow();
  await agent.close();
  await api.createServer('other', 'Other');
  const elsewhere = await api.createApiKey('elsewhere', ['other:read']);
  const outsider = await connectWithApiKey({ url: `${wharf.url}/t/ants/mcp`, apiKey: elsewhere.text });
  const uri = 'knowledge://team/notes/secret';
  await expect(outsider.client.readResource({ uri })).rejects.toMatchObject({ code: -32602 });
  expect((await outsider.client.listResources()).resources).toEqual([]);
  await outsider.close();
});

test('a folder is pushed from the command line, again without a change, and a file that hides something is named', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'wharf-knowledge-'));
  const program = await buildCli();
  const env = { PATH: process.env['PATH'], HOME: folder, WHARF_URL: wharf.url, WHARF_API_KEY: keyOf('bees') };
  const cli = (...args: string[]): Promise<string> =>
    new Promise((resolve) => {
      execFile(process.execPath, [program, 'knowledge', ...args], { env }, (_, stdout, stderr) =>
        resolve(stdout + stderr),
      );
    });
  const docs = path.join(folder, 'docs');
  mkdirSync(path.join(docs, 'how to', '.git'), { recursive: true });
  writeFileSync(path.join(docs, 'hive.md'), '---\ntitle: The hive\ntags: [home]\n---\n# Other\nIt hums.');
  writeFileSync(path.join(docs, 'how to', 'dance.txt'), 'Waggle towards the flower.');
  writeFileSync(path.join(docs, 'how to', '.git', 'not.md'), 'No document.');
  const push = ['push', docs, '--server', 'team', '--collection', 'handbook'];
  expect(await cli(...push)).toMatch(/^2 new, 0 changed, 0 as they were/);
  expect(await cli(...push)).toMatch(/^0 new, 0 changed, 2 as they were/);
  const list = await cli('list', 'team', '--collection', 'handbook');
  expect(list).toMatch(/knowledge:\/\/team\/handbook\/hive\.md +The hive +1 /);
  expect(list).toContain('knowledge://team/handbook/how-to/dance.txt');
  writeFileSync(path.join(docs, 'bad.md'), 'Zero\u200Bwidth.');
  expect(await cli(...push)).toMatch(/bad\.md \(text\): .*U\+200B \(line 1, character 5\)/);
  rmSync(folder, { recursive: true, force: true });
});
