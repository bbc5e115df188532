import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openProvider, type ProviderWorld } from '../../testing/provider-world.fixture.js';
import { parseClientDocument } from './registration.js';

const CLIENT = 'https://app.example/client.json';
const DOCUMENT = { client_id: CLIENT, client_name: 'App', redirect_uris: ['https://app.example/cb'] };
const FETCHES_MAX = 3;

let world: ProviderWorld;
const fetched: string[] = [];

/** The internet, which is not ours: every app's site answers with the same document. */
async function fetchDocument(url: string): Promise<Response> {
  fetched.push(url);
  return Response.json(
    parseClientDocument(
      url,
      Buffer.from(JSON.stringify({ ...DOCUMENT, client_id: url.includes('/many/') ? url : CLIENT })),
    ),
  );
}

beforeAll(async () => {
  world = await openProvider(
    { fetch: fetchDocument, fetchKeySet: () => Promise.reject(new Error('no key set is asked for')) },
    FETCHES_MAX,
  );
});
afterAll(() => world.close());

async function authorize(
  clientId: string,
  redirectUri: string,
  at = world,
): Promise<{ error: string; location: string | null }> {
  const params = new URLSearchParams({
    client_id: clientId,
    redirect_uri: redirectUri,
    response_type: 'code',
    scope: 'mcp',
    resource: `${at.origin}/t/nobody/mcp`,
    code_challenge: 'x'.repeat(43),
    code_challenge_method: 'S256',
  });
  const response = await fetch(`${at.origin}/authorize?${params}`, { redirect: 'manual' });
  return { error: await response.text(), location: response.headers.get('location') };
}

test('a client is known by its document, fetched once, with exactly the redirect URIs in it', async () => {
  const known = await authorize(CLIENT, 'https://app.example/cb');
  expect(known).toEqual({ error: 'invalid_target', location: null });
  const elsewhere = await authorize(CLIENT, 'https://evil.example/cb');
  expect(elsewhere).toEqual({ error: 'invalid_redirect_uri', location: null });
  expect(fetched).toEqual([CLIENT]);
});

test('a document that names another URL makes no client (O-30), and fetches are limited per address (O-33)', async () => {
  for (let count = 0; count < 10; count += 1) {
    const answer = await authorize(`https://app.example/client.json?${count}`, 'https://app.example/cb');
    expect(answer).toEqual({ error: 'invalid_client', location: null });
  }
  expect(fetched).toHaveLength(FETCHES_MAX);
});

test('the cache of documents is bounded: what many others pushed out is fetched anew (O-33)', async () => {
  const url = (at: number): string => `https://app.example/many/${at}.json`;
  const many = await openProvider(
    { fetch: fetchDocument, fetchKeySet: () => Promise.reject(new Error('none')) },
    1_000,
  );
  const ask = async (at: number): Promise<string> => (await authorize(url(at), 'https://app.example/cb', many)).error;
  expect(await ask(0)).toBe('invalid_target');
  for (let at = 1; at <= 250; at += 25) {
    const answers = await Promise.all(Array.from({ length: 25 }, (_, step) => ask(at + step)));
    expect(new Set(answers)).toEqual(new Set(['invalid_target']));
  }
  const before = fetched.length;
  expect([await ask(250), fetched.length - before]).toEqual(['invalid_target', 0]);
  expect([await ask(0), fetched.length - before]).toEqual(['invalid_target', 1]);
  await many.close();
});
