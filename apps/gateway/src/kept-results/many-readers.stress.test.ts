import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { GatewayUnderTest, type TenantUnderTest } from '../gateway.fixture.js';
import { INITIALIZE, legacy, modern, send } from '../requests.fixture.js';
import { listen, type Listening } from '../surroundings.fixture.js';

const BYTES = 8_000_000;
/** Two read, 32 wait, and the others are told at once to come again. */
const READERS = 40;

let gateway: GatewayUnderTest;
let upstream: Listening;

beforeAll(async () => {
  upstream = await listen((_, response) => response.setHeader('content-type', 'text/plain').end('.'.repeat(BYTES)));
  gateway = await GatewayUnderTest.start();
});

afterAll(async () => {
  await gateway.stop();
  await upstream.close();
});

async function asked({ serverUrl, key }: TenantUnderTest, method: string, params: Record<string, unknown>) {
  const { headers, body } = modern(method, params);
  const named = typeof params['uri'] === 'string' ? { 'mcp-name': params['uri'] } : {};
  const {
    json,
    text,
    status,
    headers: answered,
  } = await send(serverUrl, { headers: { ...headers, ...named, authorization: `Bearer ${key}` }, body });
  const message = json ?? JSON.parse(text.slice(text.lastIndexOf('data: {') + 6)); // a stream, where it took its time
  return { ...message, status, retryAfter: answered['retry-after'] };
}

test('many readers of a large answer are served or told to wait, and another tenant’s session answers meanwhile', async () => {
  const [reader, other] = [
    await gateway.tenant('reader', { large: upstream.origin }, 'scale'),
    await gateway.tenant('other', {}),
  ];
  await gateway.allow(reader, upstream);
  const called = await asked(reader, 'tools/call', { name: 'large', arguments: {} });
  const { uri } = called.result.content[1];
  const { headers, body } = legacy(INITIALIZE);
  const authorization = `Bearer ${other.key}`;
  const opened = await send(other.serverUrl, { headers: { ...headers, authorization }, body });
  const session = legacy({ id: 2, method: 'tools/list' }, String(opened.headers['mcp-session-id']));
  const reading = new Set(Array(READERS).keys());
  const lengths = [...reading].map(async (number) => {
    const { result, error, status, retryAfter } = await asked(reader, 'resources/read', { uri });
    reading.delete(number);
    return error === undefined ? result.contents[0].text.length : `${status} ${error.code} ${retryAfter}`;
  });
  const statuses: number[] = [];
  while (reading.size > 0) {
    const answer = await send(other.serverUrl, { ...session, headers: { ...session.headers, authorization } });
    statuses.push(answer.status);
  }
  const ends = new Set(await Promise.all(lengths));
  expect(ends).toEqual(new Set([BYTES, '429 -31029 2'])); // the latter waited for ten seconds, or not at all
  expect(new Set(statuses)).toEqual(new Set([200]));
});
