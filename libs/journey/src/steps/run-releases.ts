import { connectWithApiKey } from '../agent/connect-agent.js';
import { callText } from './connect-agents.js';
import type { Shop } from './open-shop.js';
import { expectThat, says, type Step, type StepResult } from './stage.js';

/** Hand-written HTTP tools beside the first server, and a release taken back. */
export async function runReleases(step: Step, shop: Shop): Promise<void> {
  await step('Add hand-written tools', () => addServer(shop));
  await step('Use the tenant’s one URL', () => useTenantUrl(shop));
  await step('Roll back', () => rollBack(shop));
}

async function addServer(shop: Shop): Promise<StepResult<undefined>> {
  await shop.api.createServer('desk', 'Service desk');
  const { release } = await shop.api.createRelease('desk', deskSource(shop, 'search only'));
  await shop.api.publish('desk', release.id);
  return says('a second server, desk, with one tool that searches the books');
}

async function useTenantUrl(shop: Shop): Promise<StepResult<undefined>> {
  const agent = await connectWithApiKey({
    url: shop.tenant.urls.mcp,
    apiKey: shop.tenant.api_key.text,
    protocol: 'auto',
  });
  try {
    const { tools } = await agent.client.listTools();
    const found = await callText(agent, 'desk__search_books', { q: 'Cities' });
    expectThat(found.text.includes('Invisible Cities'), `desk__search_books answered ${found.text}`);
    expectThat(
      tools.some((tool) => tool.name === 'bookshop__getBook'),
      'bookshop__getBook is not listed.',
    );
    return says(
      `${tools.length} tools of both servers at ${new URL(shop.tenant.urls.mcp).pathname}, each under its server’s name`,
    );
  } finally {
    await agent.close();
  }
}

async function rollBack(shop: Shop): Promise<StepResult<undefined>> {
  const { release } = await shop.api.createRelease('desk', deskSource(shop, 'search and reviews'));
  await shop.api.publish('desk', release.id);
  const after = await deskTools(shop);
  const started = performance.now();
  await shop.api.rollback('desk');
  let back = await deskTools(shop);
  // The change travels to the gateway by notification; give it a moment, not more.
  while (back.length !== 1 && performance.now() - started < 5_000) back = await deskTools(shop);
  expectThat(after.length === 2 && back.length === 1, `Tools before: ${after.join(', ')}; after: ${back.join(', ')}`);
  return says(
    `release 2 brought ${after.length} tools; ${Math.round(performance.now() - started)} ms after the rollback there is ${back.length} again`,
  );
}

async function deskTools(shop: Shop): Promise<string[]> {
  const url = shop.serverUrl.replace('/bookshop/', '/desk/');
  const agent = await connectWithApiKey({ url, apiKey: shop.tenant.api_key.text, protocol: '2026-07-28' });
  const { tools } = await agent.client.listTools();
  await agent.close();
  return tools.map((tool) => tool.name);
}

function deskSource({ upstream }: Shop, extent: 'search only' | 'search and reviews'): unknown {
  const search = {
    name: 'search_books',
    description: 'Searches books by any word of their title.',
    inputSchema: {
      type: 'object',
      properties: { q: { type: 'string', minLength: 1 } },
      required: ['q'],
      additionalProperties: false,
    },
    annotations: { readOnlyHint: true },
    method: 'GET',
    url: `${upstream.url}/books`,
  };
  const reviews = {
    name: 'reviews_of_book',
    description: 'Lists the reviews of one book.',
    inputSchema: {
      type: 'object',
      properties: { bookId: { type: 'integer' } },
      required: ['bookId'],
      additionalProperties: false,
    },
    method: 'GET',
    url: `${upstream.url}/reviews`,
  };
  return { kind: 'http', title: 'Service desk', tools: extent === 'search only' ? [search] : [search, reviews] };
}
