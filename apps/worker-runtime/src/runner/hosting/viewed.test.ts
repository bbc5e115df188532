import { expect, test } from '@jest/globals';
import type { ServerContext } from '@modelcontextprotocol/server';
import type { ToolView } from '#libs/protocol';
import type { MountedServer } from './hosted-server.js';
import { viewed, visibleUris } from './viewed.js';

const VIEW: ToolView = {
  kind: 'view',
  exclude: [],
  renames: {},
  nameMax: 64,
  prompts: { include: ['shop__greet*'] },
  resources: { exclude: ['file:///secret/*'] },
};
const OWNER = { kind: 'bundle', prefix: 'shop__' } as MountedServer; // nothing else of it is looked at
const CONTEXT = {} as ServerContext; // passed on and not looked at
const LISTS: Readonly<Record<string, object>> = {
  'prompts/list': { prompts: [{ name: 'greet' }, { name: 'curse' }] },
  'resources/list': { resources: [{ uri: 'file:///open/a' }, { uri: 'file:///secret/a' }] },
  'resources/templates/list': { resourceTemplates: [{ uriTemplate: 'file:///secret/{x}' }] },
};

async function ask(method: string, params: Record<string, unknown> = {}) {
  const forwarded: string[] = [];
  const forward = viewed(VIEW, async (_, { method: asked }) => {
    forwarded.push(asked);
    return { ...LISTS[asked] };
  });
  const answer = await forward(OWNER, { method, params }, CONTEXT).catch((error: Error) => error.message);
  return { answer, forwarded };
}

test('lists hold what a profile lets through', async () => {
  expect((await ask('prompts/list')).answer).toEqual({ prompts: [{ name: 'greet' }] });
  expect((await ask('resources/list')).answer).toEqual({ resources: [{ uri: 'file:///open/a' }] });
  expect((await ask('resources/templates/list')).answer).toEqual({ resourceTemplates: [] });
  expect(visibleUris(VIEW, new Set(['file:///open/a', 'file:///secret/a']))).toEqual(new Set(['file:///open/a']));
});

test.each<[string, Record<string, unknown>]>([
  ['prompts/get', { name: 'curse' }],
  ['resources/read', { uri: 'file:///secret/a' }],
  ['resources/subscribe', { uri: 'file:///secret/a' }],
  ['completion/complete', { ref: { type: 'ref/prompt', name: 'curse' } }],
  ['completion/complete', { ref: { type: 'ref/resource', uri: 'file:///secret/{x}' } }],
])('%s of what it leaves out reaches no server', async (method, params) => {
  expect(await ask(method, params)).toEqual({ answer: expect.stringContaining('There is no'), forwarded: [] });
});

test.each<[string, Record<string, unknown>]>([
  ['prompts/get', { name: 'greet' }],
  ['resources/read', { uri: 'file:///open/a' }],
  ['completion/complete', { ref: { type: 'ref/prompt', name: 'greet' } }],
  ['ping', {}],
])('%s of what it lets through is passed on', async (method, params) => {
  expect((await ask(method, params)).forwarded).toEqual([method]);
});
