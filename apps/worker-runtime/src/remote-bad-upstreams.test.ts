import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { RemoteStage, type RemoteRoute } from './remote-stage.fixture.js';
import { OldUpstream } from './remote-upstreams.fixture.js';

let stage: RemoteStage;
const running: OldUpstream[] = [];
beforeAll(async () => {
  stage = await RemoteStage.open();
});
afterAll(() => stage.close());
afterEach(async () => {
  await Promise.all(running.splice(0).map((upstream) => upstream.stop()));
});

async function serve(upstream: OldUpstream): Promise<{ upstream: OldUpstream; route: RemoteRoute }> {
  await upstream.start();
  running.push(upstream);
  const { port, url } = upstream;
  return { upstream, route: await stage.publish(stage.tenant([port]), [{ name: 'far', url }]) };
}

describe('a bad upstream', () => {
  test.each([
    ['another id', { 'content-type': 'application/json' }, answering],
    ['another id in a stream', { 'content-type': 'text/event-stream' }, (id: number) => `data: ${answering(id)}\n\n`],
    ['nothing', { 'content-type': 'application/json' }, () => '[]'],
  ])('that answers with %s is called that, at once', async (_, headers, body) => {
    const { upstream, route } = await serve(new OldUpstream());
    const session = await route.session();
    await session.call('echo', { text: 'warm' });
    upstream.inPlace = (request, response) => {
      const { id, method } = (request as { body?: { id?: number; method?: string } }).body ?? {};
      if (method !== 'tools/call' || id === undefined) return false;
      response.writeHead(200, headers).write(body(id));
      if (headers['content-type'] === 'application/json') response.end(); // the stream stays open
      return true;
    };
    const { rpc } = await session.call('echo', { text: 'x' }, { deadlineMs: Date.now() + 30_000 });
    expect(rpc.result).toMatchObject({ isError: true });
    expect(rpc.result.content[0]?.text).toContain('it does not answer as an MCP server');
  });

  test.each([
    [
      'an answer 100,000 deep',
      'application/json',
      (id: number) => holding(id, `${'['.repeat(1e5)}${']'.repeat(1e5)}`),
      'more than the platform',
    ],
    [
      'an answer of 1,000,000 members',
      'application/json',
      (id: number) => holding(id, `{${members(1_000_000)}}`),
      'more than the platform',
    ],
    ['a batch', 'application/json', (id: number) => `[${holding(id, '{}')},${answering(id)}]`, undefined],
    [
      'names in another case',
      'application/json',
      (id: number) => holding(id, '{}').replace('"result"', '"Result"'),
      'not answer as an MCP server',
    ],
    [
      'a result twice',
      'application/json',
      (id: number) => holding(id, '{}').replace('{', '{"result":{"content":"none"},'),
      undefined,
    ],
    ['another content type', 'text/html', (id: number) => holding(id, '{}'), 'not answer as an MCP server'],
  ])('that sends %s harms nobody: the next call goes on in the same worker', async (_, type, body, said) => {
    const { upstream, route } = await serve(new OldUpstream());
    const session = await route.session();
    await session.call('count');
    const others = await route.session({}, 'somebody else');
    await others.call('count');
    upstream.inPlace = (request, response) => {
      const { id, method } = (request as { body?: { id?: number; method?: string } }).body ?? {};
      if (method !== 'tools/call' || id === undefined) return false;
      upstream.inPlace = undefined;
      response.writeHead(200, { 'content-type': type }).end(body(id));
      return true;
    };
    const { rpc, failure } = await session.call('count', {}, { deadlineMs: Date.now() + 50_000 });
    expect(failure).toBeUndefined();
    if (said !== undefined) expect(rpc.result.content[0]?.text).toContain(said);
    expect((await session.call('count')).rpc.result.content).toEqual([{ type: 'text', text: '2' }]);
    expect((await others.call('count')).rpc.result.content).toEqual([{ type: 'text', text: '2' }]);
  });

  test('that floods with progress is thinned, to the newest', async () => {
    const { route } = await serve(new OldUpstream());
    const session = await route.session();
    const params = { name: 'flood', arguments: {}, _meta: { progressToken: 't' } };
    const { parts, rpc } = await session.ask('tools/call', params);
    expect(rpc.result.content).toMatchObject([{ text: 'flooded' }]);
    expect(parts.length).toBeGreaterThan(1);
    expect(parts.length).toBeLessThan(200);
    expect(JSON.parse(parts.at(-1) ?? '')).toMatchObject({ params: { progressToken: 't', progress: 2_000 } });
  });

  test('that forgets every session at once is opened once more, and no more than that', async () => {
    const { upstream, route } = await serve(new OldUpstream());
    const session = await route.session();
    await session.call('echo', { text: 'warm' });
    const opened = upstream.times('initialize');
    upstream.inPlace = (request, response) => {
      if ((request as { body?: { method?: string } }).body?.method !== 'tools/call') return false;
      response.writeHead(404).end();
      return true;
    };
    const { rpc } = await session.call('echo', { text: 'x' });
    expect(rpc.result).toMatchObject({ isError: true });
    expect(upstream.times('initialize')).toBe(opened + 1);
    expect(upstream.ran).toEqual(['echo warm']);
  });
});

/** An answer whose structured content is this text. */
function holding(id: number, structuredContent: string): string {
  return `{"jsonrpc":"2.0","id":${id},"result":{"content":[],"structuredContent":${structuredContent}}}`;
}

function members(count: number): string {
  return Array.from({ length: count }, (_, at) => `"${at.toString(36)}":0`).join();
}

function answering(id: number): string {
  return JSON.stringify({ jsonrpc: '2.0', id: id + 1_000, result: { content: [] } });
}
