import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { signUp, WharfApi } from '#libs/journey';
import { packBundle, startWharf, type Wharf } from '#libs/testing';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { textOf } from './third-party-stage.fixture.js';

/** A server of the 2026 era that needs to know a name. */
const SERVER = `
import { inputRequired, Server } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
const requestedSchema = { type: 'object', properties: { name: { type: 'string' } } };
serveStdio(() => {
  const server = new Server({ name: 'modern', version: '1' }, { capabilities: { tools: {} } });
  server.setRequestHandler('tools/list', () => ({ tools: [{ name: 'ask', inputSchema: { type: 'object' } }] }));
  server.setRequestHandler('tools/call', (_request, { mcpReq }) => {
    const who = mcpReq.inputResponses?.who;
    if (who !== undefined) return { content: [{ type: 'text', text: JSON.stringify(who) }] };
    return inputRequired({ inputRequests: { who: inputRequired.elicit({ mode: 'form', message: 'Who?', requestedSchema }) } });
  });
  return server;
});
`;

let wharf: Wharf;
let apiKey: string;
beforeAll(async () => {
  wharf = await startWharf();
  const owner = { email: 'owner@eras.example', password: 'eras correct horse battery' };
  apiKey = (await signUp(wharf.url, { tenantName: 'Eras', slug: 'eras', ...owner })).api_key.text;
  const api = new WharfApi({ publicUrl: wharf.url, apiKey });
  const artefact = await api.uploadArtefact('application/zip', new Uint8Array(packBundle(SERVER)));
  await api.createServer('modern', 'Modern');
  await api.allowWrites('modern');
  const { release } = await api.createRelease('modern', { kind: 'bundle', artefact });
  await api.publish('modern', release.id);
});
afterAll(() => wharf.stop());

async function ask(mode: 'legacy' | 'auto', able: boolean): Promise<string> {
  const capabilities = able ? { elicitation: { form: {} } } : {};
  const client = new Client({ name: 'eras', version: '1' }, { versionNegotiation: { mode }, capabilities });
  if (able)
    client.setRequestHandler('elicitation/create', () => ({ action: 'accept' as const, content: { name: 'Ann' } }));
  const requestInit = { headers: { authorization: `Bearer ${apiKey}` } };
  await client.connect(new StreamableHTTPClientTransport(new URL(`${wharf.url}/t/eras/modern/mcp`), { requestInit }));
  try {
    return textOf(await client.callTool({ name: 'ask', arguments: {} }));
  } catch (error) {
    return String(error);
  } finally {
    await client.close();
  }
}

test('a 2026-era server’s questions reach the client of a 2025-era session', async () => {
  expect(JSON.parse(await ask('legacy', true))).toEqual({ action: 'accept', content: { name: 'Ann' } });
});

test.each([
  ['legacy', false],
  ['auto', false],
  ['auto', true],
] as const)('who cannot be asked is told so (mode %s, able: %s)', async (mode, able) => {
  expect(await ask(mode, able)).toMatch(/client capabilities do not declare the required capability/);
});
