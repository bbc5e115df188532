import { expect, test } from '@jest/globals';
import type { RuntimeClient } from '#libs/protocol';
import type { ReleaseSubject } from '../../release-worker/ask-release.js';
import { probeLists } from './probe-lists.js';

/** What a worker that keeps to MCP answers to each request. */
const RIGHT: Readonly<Record<string, unknown>> = {
  'server/discover': {
    resultType: 'complete',
    ttlMs: 0,
    cacheScope: 'private',
    supportedVersions: ['2026-07-28'],
    capabilities: { tools: {}, resources: {}, prompts: {} },
    serverInfo: { name: 'shop', version: '1' },
  },
  initialize: {
    protocolVersion: '2025-11-25',
    capabilities: { tools: {} },
    serverInfo: { name: 'shop', version: '1' },
  },
  'tools/list': { tools: [{ name: 'search', inputSchema: { type: 'object' } }] },
  'resources/list': { resources: [{ name: 'book', uri: 'book:1' }] },
  'resources/templates/list': { resourceTemplates: [{ name: 'book', uriTemplate: 'book:{id}' }] },
  'prompts/list': { prompts: [{ name: 'recommend' }] },
};

const SUBJECT: ReleaseSubject = {
  tenantId: 't',
  serverSlug: 'shop',
  releaseId: 'r',
  digest: 'sha256:0',
  writes: true,
  contextVersion: '1',
};

/** A runtime whose worker answers these; a request that it does not know is one of the closing of a session. */
function runtimeOf(answers: Readonly<Record<string, unknown>>): RuntimeClient {
  const call: RuntimeClient['call'] = (_, payload, handlers) => {
    const method: unknown = payload.length === 0 ? undefined : JSON.parse(payload.toString()).method;
    const result = answers[String(method)] ?? {};
    queueMicrotask(() => handlers.onDone(Buffer.from(JSON.stringify({ jsonrpc: '2.0', id: 1, result })), 'ok', 1));
    return () => undefined;
  };
  return { call } as unknown as RuntimeClient; // all that is used of it
}

const probe = (answers: Readonly<Record<string, unknown>>) =>
  probeLists(runtimeOf({ ...RIGHT, ...answers }), SUBJECT, new AbortController().signal);

test('a release that answers as MCP says is let through with the names of its tools', async () => {
  await expect(probe({})).resolves.toEqual(['search']);
});

test.each([
  ['server/discover', { ...Object(RIGHT['server/discover']), capabilities: 'all' }, '/capabilities'],
  ['initialize', { ...Object(RIGHT['initialize']), protocolVersion: 20_251_125 }, '/protocolVersion'],
  ['tools/list', { tools: [{ name: 'search' }] }, '/tools/0/inputSchema'],
  ['resources/list', { resources: [{ name: 'book' }] }, '/resources/0/uri'],
  ['resources/templates/list', { resourceTemplates: [{ name: 'book' }] }, '/resourceTemplates/0/uriTemplate'],
  ['prompts/list', { prompts: [{ name: 'one' }, { title: 'two' }] }, '/prompts/1/name'],
])('%s that is not what MCP says refuses the release and names the place', async (method, answer, place) => {
  await expect(probe({ [method]: answer })).rejects.toThrow(
    `What the release answers to ${method} is not what MCP says: ${place} `,
  );
});

test.each(['tools/list', 'resources/list', 'resources/templates/list', 'prompts/list'])(
  '%s whose pages never end refuses the release',
  async (method) => {
    const endless = { ...Object(RIGHT[method]), nextCursor: 'on' };
    await expect(probe({ [method]: endless })).rejects.toThrow(`${method} goes on after 50 pages.`);
  },
);
