import { expect, test } from '@jest/globals';
import type { ServerContext } from '@modelcontextprotocol/server';
import type { ToolView } from '#libs/protocol';
import type { MountedServer } from '../hosting/hosted-server.js';
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

test.each([
  'FILE:///secret/a',
  'file:///open/../secret/a',
  'file:///open/%2E%2e/secret/a',
  'file:///sec\tret/a',
  'file:///%73ecret/a',
  'file:///open/..%2Fsecret/a',
  ' file:///secret/a',
])('an address that it leaves out is not read in another spelling: %j', async (uri) => {
  expect((await ask('resources/read', { uri })).forwarded).toEqual([]);
  expect((await ask('resources/subscribe', { uri })).forwarded).toEqual([]);
  expect(visibleUris(VIEW, new Set([uri]))).toEqual(new Set());
});

test.each<[string, string, boolean]>([
  ['note://open/*', 'note://open/a', true],
  ['note://open/*', 'note://open/a%20b', true],
  ['note://open/a b', 'note://open/a b', true],
  ['https://a.example', 'https://a.example', true],
  ['https://A.example/é*', 'https://a.example/%C3%A9t%C3%A9', true],
  ['https://a.example/é*', 'https://a.example/été', true],
  ['note://a/open/*', 'note://a/open/../shut/a', false],
  ['note://a/open/*', 'note://a/open/%2e%2e%2fshut/a', false],
  ['urn:open:*', 'urn:open:100%', true],
  ['urn:open:*', 'urn:shut:a', false],
])('with %j alone, %j is let through: %j', (pattern, uri, through) => {
  const view = { ...VIEW, resources: { include: [pattern] } };
  expect(visibleUris(view, new Set([uri])).has(uri)).toBe(through);
});

test.each<[string, Record<string, unknown>]>([
  ['prompts/get', { name: 'greet' }],
  ['resources/read', { uri: 'file:///open/a' }],
  ['completion/complete', { ref: { type: 'ref/prompt', name: 'greet' } }],
  ['ping', {}],
])('%s of what it lets through is passed on', async (method, params) => {
  expect((await ask(method, params)).forwarded).toEqual([method]);
});
