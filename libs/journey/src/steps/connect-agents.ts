import { z } from 'zod';
import { callRaw } from '../agent/raw-call.js';
import { connectAgent, connectWithApiKey, type Agent, type AgentProtocol } from '../agent/connect-agent.js';
import type { Shop } from './open-shop.js';
import { expectThat, says, type Step, type StepResult } from './stage.js';

const resourceShape = z.object({ resource: z.string(), authorization_servers: z.array(z.url()).min(1) });
const LINE_MAX = 200;
const RESOURCE_METADATA = /resource_metadata="([^"]+)"/;

/** Agents of both protocol eras find their way in with nothing but the URL, and use the tools. */
export async function connectAgents(step: Step, shop: Shop): Promise<void> {
  await step('Knock without credentials', () => discover(shop.serverUrl));
  for (const protocol of ['default', '2026-07-28'] as const) {
    await step(protocol === 'default' ? 'Sign in, MCP 2025-11-25' : 'Sign in, MCP 2026-07-28', () =>
      signInAndCall(shop, protocol),
    );
  }
  await step('Write through the secret', () => writeBook(shop));
  await step('Connect with an API key', () => useApiKey(shop));
  await step('Correct a mistake', () => correctMistakes(shop));
}

async function discover(url: string): Promise<StepResult<undefined>> {
  const { status, headers } = await callRaw({ url, method: 'tools/list' });
  const challenge = headers.get('www-authenticate') ?? '';
  const metadataUrl = RESOURCE_METADATA.exec(challenge)?.[1];
  expectThat(status === 401 && metadataUrl !== undefined, `${status} with the challenge ${challenge}`);
  const response = await fetch(metadataUrl);
  const metadata = resourceShape.parse(await response.json());
  expectThat(metadata.resource === url, `The metadata is about ${metadata.resource}.`);
  return says(`401 names ${new URL(metadataUrl).pathname}, which names ${metadata.authorization_servers.join(', ')}`);
}

async function signInAndCall(shop: Shop, protocol: AgentProtocol): Promise<StepResult<undefined>> {
  const agent = await connectAgent({ url: shop.serverUrl, protocol, ...shop.owner });
  try {
    const { tools } = await agent.client.listTools();
    const book = await callText(agent, 'getBook', { id: 1 });
    expectThat(book.text.includes('The Dispossessed'), `getBook answered ${book.text}`);
    const version = agent.client.getNegotiatedProtocolVersion();
    return says(
      `registered, signed in, consented; speaks ${version}, sees ${tools.length} tools, read “The Dispossessed”`,
    );
  } finally {
    await agent.close();
  }
}

async function writeBook(shop: Shop): Promise<StepResult<undefined>> {
  const agent = await connectWithApiKey({ url: shop.serverUrl, apiKey: shop.tenant.api_key.text });
  try {
    const written = await callText(agent, 'createBook', { title: 'Piranesi', authorId: 2, year: 2020 });
    expectThat(!written.failed && written.text.includes('Piranesi'), `createBook answered ${written.text}`);
    expectThat(!written.text.includes(shop.secretValue), 'The answer shows the secret.');
    return says('createBook was accepted by the upstream, whose key the agent never saw');
  } finally {
    await agent.close();
  }
}

async function useApiKey(shop: Shop): Promise<StepResult<undefined>> {
  const key = await shop.api.createApiKey('ci', ['mcp']);
  const agent = await connectWithApiKey({ url: shop.serverUrl, apiKey: key.text, protocol: 'auto' });
  try {
    const { tools } = await agent.client.listTools();
    await shop.api.revokeApiKey(key.id);
    return says(
      `key ${key.prefix} lists ${tools.length} tools over ${agent.client.getNegotiatedProtocolVersion()}; then it was revoked`,
    );
  } finally {
    await agent.close();
  }
}

async function correctMistakes(shop: Shop): Promise<StepResult<undefined>> {
  const agent = await connectWithApiKey({ url: shop.serverUrl, apiKey: shop.tenant.api_key.text });
  try {
    const wrong = await callText(agent, 'getBook', { id: 'first' });
    expectThat(wrong.failed && wrong.text.includes('id'), `A wrong argument was answered ${wrong.text}`);
    const unknown = await agent.client
      .callTool({ name: 'getBok', arguments: { id: 1 } })
      .catch((error: unknown) => error);
    const answer = unknown instanceof Error ? unknown.message : JSON.stringify(unknown);
    expectThat(answer.includes('getBook'), `An unknown tool was answered ${answer}`);
    return says(`“${oneLine(wrong.text)}”; “${oneLine(answer)}”`);
  } finally {
    await agent.close();
  }
}

function oneLine(text: string): string {
  const line = text.replace(/\s+/g, ' ');
  return line.length <= LINE_MAX ? line : `${line.slice(0, LINE_MAX)} …`;
}

/** A tool's answer as text, and whether it is an error. */
export async function callText(
  agent: Agent,
  name: string,
  args: Readonly<Record<string, unknown>>,
): Promise<{ readonly text: string; readonly failed: boolean }> {
  const result = await agent.client.callTool({ name, arguments: { ...args } });
  const text = result.content.map((part) => (part.type === 'text' ? part.text : `[${part.type}]`)).join('\n');
  return { text, failed: result.isError === true };
}
