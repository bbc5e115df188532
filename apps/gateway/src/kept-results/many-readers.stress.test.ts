import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { GatewayUnderTest, type TenantUnderTest } from '../gateway.fixture.js';
import { INITIALIZE, legacy, modern, send } from '../requests.fixture.js';
import { listen, type Listening } from '../surroundings.fixture.js';

const BYTES = 8_000_000;
const READERS = 24;

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
  const { json, text } = await send(serverUrl, {
    headers: { ...headers, ...named, authorization: `Bearer ${key}` },
    body,
  });
  return json ?? JSON.parse(text.slice(text.lastIndexOf('data: {') + 6)); // a stream, where it took its time
}

test('many readers of a large answer are served or told to wait, and another tenant’s session answers meanwhile', async () => {
  const [reader, other] = [
    await gateway.tenant('reader', { large: upstream.origin }),
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
    const { result, error } = await asked(reader, 'resources/read', { uri });
    reading.delete(number);
    return error ?? result.contents[0].text.length;
  });
  const statuses: number[] = [];
  while (reading.size > 0) {
    const answer = await send(other.serverUrl, { ...session, headers: { ...session.headers, authorization } });
    statuses.push(answer.status);
  }
  const ends = new Set((await Promise.all(lengths)).map((end) => end.code ?? end));
  expect(ends.delete(BYTES)).toBe(true);
  ends.delete(-31_029); // waited longer than ten seconds, and is told so
  expect([...ends]).toEqual([]);
  expect(new Set(statuses)).toEqual(new Set([200]));
});
