import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { RemoteStage, type RemoteRoute } from './remote-stage.fixture.js';
import { legacyUpstream, modernUpstream, OldUpstream, type RemoteUpstream } from './remote-upstreams.fixture.js';

let stage: RemoteStage;
const running: RemoteUpstream[] = [];
beforeAll(async () => {
  stage = await RemoteStage.open();
});
afterAll(() => stage.close());
afterEach(async () => {
  await Promise.all(running.splice(0).map((upstream) => upstream.stop()));
});

async function start<Kind extends RemoteUpstream>(upstream: Kind): Promise<Kind> {
  await upstream.start();
  running.push(upstream);
  return upstream;
}

const publish = (upstreams: Record<string, RemoteUpstream>, secrets = {}): Promise<RemoteRoute> =>
  stage.publish(
    stage.tenant(
      Object.values(upstreams).map(({ port }) => port),
      secrets,
    ),
    Object.entries(upstreams).map(([name, { url }]) => ({ name, url })),
  );

describe.each([
  ['SDK v2, 2026 era', () => modernUpstream('far')],
  ['SDK v2, 2025 era', () => legacyUpstream('far')],
])('one upstream (%s)', (_, make) => {
  test('is served to clients of both eras', async () => {
    const route = await publish({ far: await start(make()) });
    const session = await route.session();
    for (const ask of [route.modern.bind(route), session.ask.bind(session)]) {
      expect((await ask('tools/list')).rpc.result.tools.map(({ name }) => name)).toEqual(['hello', 'regional']);
      const called = await ask('tools/call', { name: 'hello', arguments: { who: 'Ann' } });
      expect(called.rpc.result.content).toMatchObject([{ text: 'Hello Ann from far' }]);
      expect((await ask('resources/list')).rpc.result).toMatchObject({ resources: [{ uri: 'page://far' }] });
      expect((await ask('resources/read', { uri: 'page://far' })).rpc.result).toMatchObject({
        contents: [{ text: 'page of far' }],
      });
      expect((await ask('prompts/list')).rpc.result).toMatchObject({ prompts: [{ name: 'ask' }] });
      expect(JSON.stringify((await ask('prompts/get', { name: 'ask' })).rpc.result)).toContain('Ask far');
    }
  });
});
