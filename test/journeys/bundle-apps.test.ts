import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { signUp, WharfApi } from '#libs/journey';
import { packBundle, startWharf, type Wharf } from '#libs/testing';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { APPS, PAGE, TOOL_META } from './bundle-apps.fixture.js';

type Kind = keyof typeof APPS;

const UI = { 'io.modelcontextprotocol/ui': { mimeTypes: ['text/html;profile=mcp-app'] } };
const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SENT = {
  traceparent: `00-${TRACE}-b7ad6b7169203331-01`,
  tracestate: 'rojo=00f067aa0ba902b7',
  baggage: 'userId=alice',
};

let wharf: Wharf;
let apiKey: string;

beforeAll(async () => {
  wharf = await startWharf();
  const owner = { email: 'owner@charts.example', password: 'apps correct horse battery' };
  apiKey = (await signUp(wharf.url, { tenantName: 'Charts', slug: 'charts', ...owner })).api_key.text;
  const api = new WharfApi({ publicUrl: wharf.url, apiKey });
  for (const kind of ['dual', 'legacy'] as const) {
    const artefact = await api.uploadArtefact('application/zip', new Uint8Array(packBundle(APPS[kind])));
    await api.createServer(kind, `App ${kind}`);
    await api.allowWrites(kind);
    const { release } = await api.createRelease(kind, { kind: 'bundle', artefact });
    await api.publish(kind, release.id);
  }
});
afterAll(() => wharf?.stop());

/** A client that shows MCP Apps. */
async function connect(kind: Kind, mode: 'legacy' | 'auto'): Promise<Client> {
  const client = new Client(
    { name: 'shows-apps', version: '1' },
    { capabilities: { extensions: UI }, versionNegotiation: { mode } },
  );
  const requestInit = { headers: { authorization: `Bearer ${apiKey}` } };
  await client.connect(
    new StreamableHTTPClientTransport(new URL(`${wharf.url}/t/charts/${kind}/mcp`), { requestInit }),
  );
  return client;
}

describe.each([
  ['dual', 'legacy'],
  ['dual', 'auto'],
  ['legacy', 'legacy'],
  ['legacy', 'auto'],
] as const)('a bundled MCP App (%s), for a client in mode %s', (kind, mode) => {
  test('comes through unchanged', async () => {
    const client = await connect(kind, mode);
    const { tools } = await client.listTools();
    expect(tools.map(({ _meta }) => _meta)).toEqual([TOOL_META, undefined]);
    const { contents } = await client.readResource({ uri: PAGE.uri });
    expect(contents).toEqual([PAGE]);
    await client.close();
  });

  test('hears of the client’s extensions, and of the trace that a call is part of', async () => {
    const client = await connect(kind, mode);
    const { content } = await client.callTool({ name: 'told', arguments: {}, _meta: SENT });
    const told: unknown = JSON.parse((content as Array<{ text: string }>)[0]?.text ?? '');
    expect(told).toEqual({ ...SENT, traceparent: expect.stringContaining(TRACE), extensions: UI });
    await client.close();
  });
});
