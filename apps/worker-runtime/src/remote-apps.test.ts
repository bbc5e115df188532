import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { appServer, PAGE, TOOL_META } from './remote-apps.fixture.js';
import { legacyUpstream, modernUpstream } from './remote-new-upstreams.fixture.js';
import { RemoteStage, type RemoteRoute } from './remote-stage.fixture.js';
import type { RemoteUpstream } from './remote-upstreams.fixture.js';

const UI = { 'io.modelcontextprotocol/ui': { mimeTypes: ['text/html;profile=mcp-app'] } };
const TRACE = '0af7651916cd43dd8448eb211c80319c';
const traceparent = `00-${TRACE}-b7ad6b7169203331-01`;
const SENT = { traceparent, tracestate: 'rojo=00f067aa0ba902b7', baggage: 'userId=alice' };
const TOLD = { name: 'told', arguments: {} };

let stage: RemoteStage;
let upstream: RemoteUpstream;
beforeAll(async () => {
  stage = await RemoteStage.open();
});
afterAll(() => stage.close());
afterEach(() => upstream.stop());

async function publish(made: RemoteUpstream): Promise<RemoteRoute> {
  upstream = await made.start();
  return stage.publish(stage.tenant([upstream.port]), [{ name: 'far', url: upstream.url }]);
}

describe.each([
  ['2026 era', () => modernUpstream('far', appServer)],
  ['2025 era', () => legacyUpstream('far', appServer)],
])('an MCP App at an upstream of the %s', (_, make) => {
  test('comes through unchanged to clients of both eras, whose extensions it hears of', async () => {
    const route = await publish(make());
    const session = await route.session({ extensions: UI });
    const modern = (method: string, params?: object) =>
      route.modern(method, params, { capabilities: { extensions: UI } });
    for (const ask of [modern, session.ask.bind(session)]) {
      const { tools } = (await ask('tools/list')).rpc.result;
      expect(tools.map((tool) => ('_meta' in tool ? tool._meta : undefined))).toEqual([TOOL_META, undefined]);
      const read = await ask('resources/read', { uri: PAGE.uri });
      expect(JSON.stringify(read.rpc.result['contents'])).toBe(JSON.stringify([PAGE]));
      const called = await ask('tools/call', TOLD);
      expect(JSON.parse(called.rpc.result.content[0]?.text ?? '')).toMatchObject({ extensions: UI });
    }
  });

  test('hears of the trace that a call of either era is part of', async () => {
    const route = await publish(make());
    const session = await route.session();
    const other = { ...SENT, traceparent: traceparent.replace(TRACE, TRACE.replace('0a', '0b')) };
    const heard = async (_meta: object): Promise<unknown[]> => {
      const answers = [
        await route.modern('tools/call', TOLD, { traceparent, meta: _meta }),
        await session.ask('tools/call', { ...TOLD, _meta }, { traceparent }),
      ];
      return answers.map(({ rpc }) => JSON.parse(rpc.result.content[0]?.text ?? ''));
    };
    const told = { ...SENT, traceparent: expect.stringContaining(TRACE) };
    expect(await heard(SENT)).toMatchObject([told, told]);
    for (const answer of await heard({ ...other, baggage: 'x'.repeat(8_193) })) {
      expect(answer).toMatchObject({ traceparent: expect.stringContaining(TRACE) });
      expect(answer).not.toHaveProperty('tracestate');
      expect(answer).not.toHaveProperty('baggage');
    }
  });
});
