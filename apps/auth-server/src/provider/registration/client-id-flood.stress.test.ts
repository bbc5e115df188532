import { Session } from 'node:inspector/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openProvider, type ProviderWorld } from '../../testing/provider-world.fixture.js';
import { parseClientDocument } from './registration.js';

const URLS = 10_000;
/** After so many every bounded cache is full. */
const WARM = 5_000;
const AT_ONCE = 25;
const FETCHES_USUAL = 60;
const REDIRECT = 'https://app.example/cb';
/** Large documents: ten thousand that are kept would be some 80 MB. */
const REDIRECTS = [REDIRECT, ...Array.from({ length: 9 }, (_, at) => `https://app.example/${'x'.repeat(400)}/${at}`)];
const HEAP_BYTES_MAX = 24 * 1024 * 1024;

const inspector = new Session();
let fetched = 0;

beforeAll(() => inspector.connect());
afterAll(() => inspector.disconnect());

async function fetchDocument(url: string): Promise<Response> {
  fetched += 1;
  const document = { client_id: url, client_name: `App of ${url}`, redirect_uris: REDIRECTS };
  return Response.json(parseClientDocument(url, Buffer.from(JSON.stringify(document))));
}

/** What is in use once everything that can go has gone. */
async function heapBytes(): Promise<number> {
  let least = Infinity;
  for (let round = 0; round < 5; round += 1) {
    await inspector.post('HeapProfiler.collectGarbage');
    least = Math.min(least, process.memoryUsage().heapUsed);
  }
  return least;
}

async function ask(world: ProviderWorld, clientId: string): Promise<string> {
  const params = new URLSearchParams({
    client_id: clientId,
    redirect_uri: REDIRECT,
    response_type: 'code',
    scope: 'mcp',
    resource: `${world.origin}/t/nobody/mcp`,
    code_challenge: 'x'.repeat(43),
    code_challenge_method: 'S256',
  });
  const response = await fetch(`${world.origin}/authorize?${params}`, { redirect: 'manual' });
  return response.text();
}

async function askForMany(world: ProviderWorld, name: string, count: number): Promise<Set<string>> {
  const told = new Set<string>();
  for (let at = 0; at < count; at += AT_ONCE) {
    const urls = Array.from({ length: AT_ONCE }, (_, step) => `https://app.example/${name}/${at + step}.json`);
    for (const answer of await Promise.all(urls.map((url) => ask(world, url)))) told.add(answer);
  }
  return told;
}

test.each([
  ['whoever may fetch them all', URLS + WARM, ['invalid_target']],
  ['an address with its usual limit', FETCHES_USUAL, ['invalid_client', 'invalid_target']],
])(
  'ten thousand client documents are asked for by %s, and memory stays flat (O-33)',
  async (_, fetchesMax, told) => {
    fetched = 0;
    const documents = { fetch: fetchDocument, fetchKeySet: () => Promise.reject(new Error('none')) };
    const world = await openProvider(documents, fetchesMax);
    const first = await askForMany(world, 'first', WARM);
    expect([...first].toSorted()).toEqual(told);
    const before = await heapBytes();
    await askForMany(world, 'many', URLS);
    const grown = (await heapBytes()) - before;
    process.stdout.write(`${URLS} documents, ${fetched} fetched: ${Math.round(grown / 1024)} KiB more in use\n`);
    expect(grown).toBeLessThan(HEAP_BYTES_MAX);
    expect(fetched).toBe(fetchesMax);
    await world.close();
  },
  240_000,
);
