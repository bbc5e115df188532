import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { until } from '#libs/testing';
import { sseUpstream } from './remote-old-transport.fixture.js';
import { modernUpstream } from './remote-new-upstreams.fixture.js';
import { RemoteStage, type RemoteRoute, type RemoteSession } from './remote-stage.fixture.js';
import { OldUpstream, type RemoteUpstream } from './remote-upstreams.fixture.js';

let stage: RemoteStage;
const running: RemoteUpstream[] = [];
beforeAll(async () => {
  stage = await RemoteStage.open();
});
afterAll(() => stage.close());
afterEach(async () => {
  await Promise.all(running.splice(0).map((upstream) => upstream.stop()));
});

async function serve<Kind extends RemoteUpstream>(upstream: Kind): Promise<{ upstream: Kind; route: RemoteRoute }> {
  await upstream.start();
  running.push(upstream);
  const { port, url } = upstream;
  return { upstream, route: await stage.publish(stage.tenant([port]), [{ name: 'far', url }]) };
}

const ABLE = { elicitation: {}, sampling: {}, roots: {} };
const ANSWERS: Record<string, object> = {
  'elicitation/create': { action: 'accept', content: { name: 'Ann' } },
  'sampling/createMessage': { model: 'm', role: 'assistant', content: { type: 'text', text: 'hi' } },
  'roots/list': { roots: [{ uri: 'file:///work' }] },
};

/** Calls a tool as a client of the 2026 era that answers whatever it is asked; returns what the tool said. */
async function askedModern(route: RemoteRoute, name: string, rounds: string[][] = []): Promise<unknown> {
  const params = { name, arguments: {} };
  let { rpc } = await route.modern('tools/call', params, { capabilities: ABLE });
  while (rpc.result['resultType'] === 'input_required') {
    const { inputRequests, requestState } = rpc.result as { inputRequests?: unknown; requestState?: unknown };
    const asked = Object.entries(inputRequests as Record<string, { method: string }>);
    rounds.push(asked.map(([, { method }]) => method));
    const inputResponses = Object.fromEntries(asked.map(([key, { method }]) => [key, ANSWERS[method]]));
    ({ rpc } = await route.modern('tools/call', { ...params, inputResponses, requestState }, { capabilities: ABLE }));
  }
  return JSON.parse(rpc.result.content[0]?.text ?? '');
}

/** The same as a session of the 2025 era. */
async function askedLegacy(session: RemoteSession, name: string): Promise<unknown> {
  const onPart = (part: string): void => {
    const { id, method } = JSON.parse(part) as { id: number; method: string };
    if (ANSWERS[method] !== undefined) void session.post({ jsonrpc: '2.0', id, result: ANSWERS[method] });
  };
  return JSON.parse((await session.call(name, {}, { onPart })).rpc.result.content[0]?.text ?? '');
}

const ALL = {
  who: ANSWERS['elicitation/create'],
  model: ANSWERS['sampling/createMessage'],
  where: ANSWERS['roots/list'],
};

describe('what an upstream asks of its client', () => {
  test('reaches clients of both eras, asked by a server of 2026', async () => {
    const { route } = await serve(modernUpstream());
    expect(await askedModern(route, 'ask')).toMatchObject({ ...ALL, state: 'asked' });
    expect(await askedLegacy(await route.session(ABLE), 'ask')).toMatchObject(ALL);
    const { rpc } = await route.modern('tools/call', { name: 'ask', arguments: {} });
    expect(rpc.error).toMatchObject({ code: -32_021 });
  });

  test('reaches a client of 2026, asked by a server of 2025', async () => {
    const { route } = await serve(new OldUpstream());
    const rounds: string[][] = [];
    expect(await askedModern(route, 'ask', rounds)).toMatchObject({ content: { name: 'Ann' } });
    expect(await askedModern(route, 'sample', rounds)).toMatchObject({ content: { text: 'hi' } });
    expect(await askedModern(route, 'roots', rounds)).toMatchObject({ roots: [{ uri: 'file:///work' }] });
    expect(rounds.flat()).toEqual(['elicitation/create', 'sampling/createMessage', 'roots/list']);
    const { rpc } = await route.modern('tools/call', { name: 'ask', arguments: {} });
    expect(rpc.result).toMatchObject({ isError: true }); // its SDK knows that there is nobody to ask
  });

  test('is given to the call that it is asked for, where many run', async () => {
    const { route } = await serve(new OldUpstream());
    await askedModern(route, 'ask');
    const both = await Promise.all([askedModern(route, 'ask'), askedModern(route, 'sample')]);
    expect(both).toMatchObject([{ content: { name: 'Ann' } }, { content: { text: 'hi' } }]);
  });

  test('is good for its principal and its call alone', async () => {
    const { route } = await serve(new OldUpstream());
    const { rpc } = await route.modern('tools/call', { name: 'ask', arguments: {} }, { capabilities: ABLE });
    const { requestState } = rpc.result as { requestState?: unknown };
    const again = { name: 'ask', arguments: {}, requestState, inputResponses: {} };
    for (const [params, principal] of [
      [again, 'somebody else'],
      [{ ...again, name: 'sample' }, 'person'],
    ] as const) {
      const refused = await route.modern('tools/call', params, { capabilities: ABLE, principal });
      expect(refused.rpc.error).toMatchObject({ code: -32_602, data: { reason: 'call_not_waiting' } });
    }
    expect((await route.modern('tools/call', again, { capabilities: ABLE })).rpc.result['resultType']).toBe(
      'input_required',
    );
  });

  test.each([
    ['2025', () => new OldUpstream()],
    ['2026', modernUpstream],
  ])('ends at a server of %s with the client that leaves, and with the session that cancels', async (_era, make) => {
    const { upstream, route } = await serve<OldUpstream | ReturnType<typeof modernUpstream>>(make());
    const hang = { name: 'hang', arguments: {} };
    const { leave } = route.begin('tools/call', hang, ABLE);
    await until(() => upstream.ran.includes('hang'));
    leave();
    await until(() => upstream.ran.includes('hang cancelled'));
    const session = await route.session(ABLE);
    const call = session.ask('tools/call', hang, { deadlineMs: Date.now() + 60_000 });
    await until(() => upstream.ran.length === 3);
    await session.post({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: session.lastId } });
    await until(() => upstream.ran.length === 4);
    await call;
  });
});

describe('who listens as a client of 2026', () => {
  test('hears of resources and lists of a server of 2025, once they have changed', async () => {
    const { upstream, route } = await serve(new OldUpstream());
    const notifications = { toolsListChanged: true, resourcesListChanged: true, resourceSubscriptions: ['note://one'] };
    const { heard, leave } = route.begin('subscriptions/listen', { notifications });
    await until(() => upstream.times('resources/subscribe') === 1);
    expect(heard[0]).toMatchObject({
      params: { notifications: { toolsListChanged: true, resourceSubscriptions: ['note://one'] } },
    });
    upstream.tellChanged(); // nothing has
    upstream.tellUpdated('note://one');
    await until(() => heard.length > 1);
    upstream.addResource('note://two');
    await until(() => heard.length > 2);
    expect(heard.slice(1)).toMatchObject([
      { method: 'notifications/resources/updated', params: { uri: 'note://one' } },
      { method: 'notifications/resources/list_changed' },
    ]);
    leave();
    await until(() => upstream.asked.some(({ method }) => method === 'DELETE'));
  });

  test('hears of resources of a server of 2026, and so does a session', async () => {
    const { upstream, route } = await serve(modernUpstream('far'));
    const session = await route.session();
    session.listen();
    await session.ask('resources/subscribe', { uri: 'page://far' });
    const { heard } = route.begin('subscriptions/listen', {
      notifications: { resourceSubscriptions: ['page://far'] },
    });
    await until(() => upstream.times('subscriptions/listen') >= 4); // each once for lists, once for the resource
    upstream.tell.resourceUpdated('page://far');
    await until(() => heard.length > 1 && session.heard.length > 0);
    expect(heard[1]).toMatchObject({ method: 'notifications/resources/updated', params: { uri: 'page://far' } });
    expect(session.heard[0]).toContain('notifications/resources/updated');
  });
});

test('an upstream of HTTP+SSE serves clients of both eras, and is connected to again when its stream ends', async () => {
  const { upstream, route } = await serve(sseUpstream());
  const session = await route.session(ABLE);
  const count = async (): Promise<unknown> => (await session.call('count')).rpc.result.content[0]?.text;
  expect([await count(), await count()]).toEqual(['1', '2']);
  expect(await askedLegacy(session, 'ask')).toMatchObject({ content: { name: 'Ann' } });
  expect(await askedModern(route, 'ask')).toMatchObject({ content: { name: 'Ann' } });
  const before = upstream.streams();
  upstream.drop();
  expect(await count()).toBe('1');
  expect(upstream.streams()).toBe(before + 1);
});

test('lists say how long they hold where a change would be heard of, and every caller is told of one', async () => {
  const { upstream: old, route } = await serve(new OldUpstream());
  const far = `${route.tenantId} far`;
  const told = (): number => stage.changed.filter((servers) => servers === far).length;
  const asked = { capabilities: { sampling: {} } };
  for (const list of ['tools/list', 'prompts/list', 'resources/list', 'resources/templates/list'])
    expect((await route.modern(list, {}, asked)).rpc.result).toMatchObject({ ttlMs: 60_000, cacheScope: 'private' });
  expect((await route.modern('prompts/list')).rpc.result['ttlMs']).toBe(0); // nobody would hear of it
  expect(told()).toBe(0);
  old.tellChanged();
  await until(() => told() >= 3, 'all three lists');
  const before = told();
  await old.stop();
  expect((await route.modern('tools/list', {}, asked)).rpc.result).toMatchObject({ tools: [], ttlMs: 0 });
  expect(told()).toBeGreaterThan(before);
});
