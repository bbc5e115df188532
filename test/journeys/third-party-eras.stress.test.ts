import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { signUp, WharfApi } from '#libs/journey';
import { packBundle, startWharf, type Wharf } from '#libs/testing';
import { Client, StreamableHTTPClientTransport, type CallToolResult } from '@modelcontextprotocol/client';
import { z } from 'zod';
import { LEGACY_SERVER, MODERN_SERVER } from './third-party-eras.fixture.js';
import { textOf } from './third-party-stage.fixture.js';

type Mode = 'legacy' | 'auto';
type Given = Readonly<Record<string, unknown>>;

let wharf: Wharf;
let apiKey: string;
let otherKey: string;
const open: Client[] = [];

beforeAll(async () => {
  wharf = await startWharf();
  const owner = { email: 'owner@eras.example', password: 'eras correct horse battery' };
  apiKey = (await signUp(wharf.url, { tenantName: 'Eras', slug: 'eras', ...owner })).api_key.text;
  const api = new WharfApi({ publicUrl: wharf.url, apiKey });
  for (const [slug, code] of Object.entries({ modern: MODERN_SERVER, legacy: LEGACY_SERVER })) {
    const artefact = await api.uploadArtefact('application/zip', new Uint8Array(packBundle(code)));
    await api.createServer(slug, slug);
    await api.allowWrites(slug);
    const { release } = await api.createRelease(slug, { kind: 'bundle', artefact });
    await api.publish(slug, release.id);
  }
  otherKey = (await api.createApiKey('other', ['mcp'])).text;
});
afterAll(async () => {
  for (const client of open) await client.close();
  await wharf?.stop();
});

/** A client that answers every question with a name of its own, or one that can answer none. */
async function connect(server: 'modern' | 'legacy', mode: Mode, name?: string, bearer = apiKey): Promise<Client> {
  const capabilities = name === undefined ? {} : { elicitation: { form: {}, url: {} } };
  const client = new Client({ name: 'eras', version: '1' }, { versionNegotiation: { mode }, capabilities });
  if (name !== undefined)
    client.setRequestHandler('elicitation/create', ({ params: { message } }) => ({
      action: 'accept' as const,
      content: { name: `${name} (${message})` },
    }));
  const requestInit = { headers: { authorization: `Bearer ${bearer}` } };
  const url = new URL(`${wharf.url}/t/eras/${server}/mcp`);
  await client.connect(new StreamableHTTPClientTransport(url, { requestInit }));
  open.push(client);
  return client;
}

async function say(client: Client, name: string, given: Given = {}): Promise<unknown> {
  return JSON.parse(textOf(await client.callTool({ name, arguments: { ...given } })));
}

/** One round of a call whose questions the test answers itself. */
async function round(client: Client, given: Given): Promise<Given> {
  const params = { name: 'ask', arguments: { topic: 'x' }, ...given };
  return client.request({ method: 'tools/call', params }, z.looseObject({}), { allowInputRequired: true });
}

const answering = (asked: Given, name: string): Given => ({
  requestState: asked['requestState'],
  inputResponses: Object.fromEntries(
    Object.keys(asked['inputRequests'] as object).map((key) => [key, { action: 'accept', content: { name } }]),
  ),
});

describe('a server of 2026', () => {
  test.each(['legacy', 'auto'] as const)('asks clients of both eras (mode %s)', async (mode) => {
    expect(await say(await connect('modern', mode, 'Ann'), 'ask')).toEqual({
      action: 'accept',
      content: { name: 'Ann (Who?)' },
    });
  });

  test.each(['legacy', 'auto'] as const)('tells who cannot be asked so (mode %s)', async (mode) => {
    const failed = say(await connect('modern', mode), 'ask');
    await expect(failed).rejects.toThrow(/does not declare|do not declare the required capability/);
  });

  test('logs to a session, and tells it of resources that it subscribed to', async () => {
    const client = await connect('modern', 'legacy');
    const logged = heard(client, 'notifications/message');
    await say(client, 'log');
    expect(await logged).toMatchObject({ level: 'warning', data: 'careful' });
    await client.subscribeResource({ uri: 'note://one' });
    const updated = heard(client, 'notifications/resources/updated');
    await say(client, 'touch');
    expect(await updated).toMatchObject({ uri: 'note://one' });
  });
});

function heard(client: Client, method: 'notifications/message' | 'notifications/resources/updated'): Promise<unknown> {
  return new Promise((resolve) => client.setNotificationHandler(method, ({ params }) => resolve(params)));
}

describe('a server of 2025 and clients of 2026', () => {
  test('asks one thing after the other, and several at once', async () => {
    const client = await connect('legacy', 'auto', 'Ann');
    expect(await say(client, 'ask', { topic: 'x' })).toEqual(['x', 'Ann (First, x)', 'Ann (Then, x)']);
    expect(await say(client, 'both')).toEqual(['Ann (One)', 'Ann (Other)']);
  });

  test('asks each of many calls at once for itself', async () => {
    const clients = await Promise.all(['Ann', 'Bob'].map((name) => connect('legacy', 'auto', name)));
    const said = await Promise.all(clients.map((client, index) => say(client, 'ask', { topic: String(index) })));
    expect(said).toEqual([
      ['0', 'Ann (First, 0)', 'Ann (Then, 0)'],
      ['1', 'Bob (First, 1)', 'Bob (Then, 1)'],
    ]);
  });

  test('a call that waits is found by its state, by its principal, for its request, once', async () => {
    const client = await connect('legacy', 'auto', 'Ann');
    const first = await round(client, {});
    const answers = answering(first, 'Ann');
    const refused = { code: -32602, message: expect.stringContaining('requestState') };
    const other = await connect('legacy', 'auto', 'Eve', otherKey);
    await expect(round(other, answers)).rejects.toMatchObject(refused);
    await expect(round(client, { ...answers, arguments: { topic: 'y' } })).rejects.toMatchObject(refused);
    await expect(
      round(client, { ...answers, requestState: `${String(first['requestState'])}x` }),
    ).rejects.toMatchObject(refused);
    const again = await round(client, { requestState: first['requestState'], inputResponses: { wrong: {} } });
    expect(again['inputRequests']).toEqual(first['inputRequests']);
    await expect(round(client, answers)).rejects.toMatchObject(refused);
    const second = await round(client, answering(again, 'Ann'));
    const done = await round(client, answering(second, 'Bob'));
    expect(JSON.parse(textOf(done as CallToolResult))).toEqual(['x', 'Ann', 'Bob']);
  });

  test('who cannot be asked hears what is missing', async () => {
    const client = await connect('legacy', 'auto');
    await expect(say(client, 'ask', { topic: 'x' })).rejects.toThrow();
    const failed = client.readResource({ uri: 'note://none' });
    await expect(failed).rejects.toMatchObject({ code: -32602, data: { uri: 'note://none' } });
    const visit = await round(await connect('legacy', 'auto', 'Ann'), { name: 'visit' });
    expect(visit['inputRequests']).toEqual({
      url_1: {
        method: 'elicitation/create',
        params: { mode: 'url', message: 'Sign in', url: 'https://example.com/in' },
      },
    });
  });

  test('log messages come where they are wanted, from the level that is wanted', async () => {
    const client = await connect('legacy', 'auto', 'Ann');
    const messages: unknown[] = [];
    client.setNotificationHandler('notifications/message', ({ params }) => void messages.push(params.data));
    await say(client, 'log');
    const _meta = { 'io.modelcontextprotocol/logLevel': 'error' };
    await client.request({ method: 'tools/call', params: { name: 'log', arguments: {}, _meta } });
    expect(messages).toEqual(['error']);
  });

  test('who listens hears of the resources that it named, and others do not', async () => {
    const [client, other] = [await connect('legacy', 'auto'), await connect('legacy', 'auto', undefined, otherKey)];
    const told: string[] = [];
    other.setNotificationHandler('notifications/resources/updated', () => void told.push('other'));
    await other.listen({ resourceSubscriptions: ['note://one'] });
    const updated = heard(client, 'notifications/resources/updated');
    const subscription = await client.listen({ resourceSubscriptions: ['note://one'] });
    await say(client, 'touch');
    expect(await updated).toMatchObject({ uri: 'note://one' });
    expect(told).toEqual([]);
    await subscription.close();
  });
});
