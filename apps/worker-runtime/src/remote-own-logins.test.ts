import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import type { PersonTokens } from '#libs/protocol';
import { until } from '#libs/testing';
import { RemoteStage, type RemoteRoute } from './remote-stage.fixture.js';
import { OldUpstream } from './remote-upstreams.fixture.js';

const OWN = 'Bearer token-of-ann';
const TOKENS: PersonTokens = () => Promise.resolve({ kind: 'token', token: 'token-of-ann' });

let stage: RemoteStage;
let upstream: OldUpstream;
let route: RemoteRoute;
beforeAll(async () => {
  stage = await RemoteStage.open();
});
afterAll(() => stage.close());
afterEach(() => upstream.stop());

/** An upstream that answers nobody who is not logged in, and a release of it. */
async function serve(): Promise<void> {
  upstream = await new OldUpstream().start();
  upstream.inPlace = ({ headers }, response) => {
    if (headers.authorization === OWN) return false;
    response.writeHead(401, { 'www-authenticate': 'Bearer' }).end();
    return true;
  };
  const auth = { kind: 'connection', connector: 'mail' };
  route = await stage.publish(stage.tenant([upstream.port]), [{ name: 'far', url: upstream.url, auth }], TOKENS);
  upstream.asked.length = 0;
}

const deletions = (): number => upstream.asked.filter(({ method }) => method === 'DELETE').length;
const everybodyWas = (): unknown => [...new Set(upstream.asked.map(({ authorization }) => authorization))];

test('a session at an upstream of a person’s own login is listened to, cancelled in and ended with that login', async () => {
  await serve();
  const session = await route.session();
  session.listen();
  await session.ask('tools/list');
  await session.ask('resources/subscribe', { uri: 'note://one' });
  await until(() => upstream.asked.some(({ method }) => method === 'GET'), 'the upstream’s stream is open');
  await until(() => {
    upstream.tellUpdated('note://one');
    return session.heard.some((heard) => heard.includes('notifications/resources/updated'));
  }, 'the session hears of the resource');
  upstream.addResource('note://two');
  await until(() => session.heard.some((heard) => heard.includes('resources/list_changed')), 'it hears of the list');
  const call = session.ask('tools/call', { name: 'hang', arguments: {} }, { deadlineMs: Date.now() + 60_000 });
  await until(() => upstream.ran.includes('hang'), 'the call runs');
  await session.post({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: session.lastId } });
  await until(() => upstream.ran.includes('hang cancelled'), 'the upstream hears that it is cancelled');
  await call;
  await session.close();
  await until(() => deletions() === 1, 'the upstream’s session has ended');
  expect(everybodyWas()).toEqual([OWN]);
});

test('a client of 2026 that leaves is told of there, and who listens hears, with the same login', async () => {
  await serve();
  const { leave } = route.begin('tools/call', { name: 'hang', arguments: {} });
  await until(() => upstream.ran.includes('hang'), 'the call runs');
  leave();
  await until(() => upstream.ran.includes('hang cancelled'), 'the upstream hears that it is cancelled');
  const listening = route.begin('subscriptions/listen', { notifications: { resourceSubscriptions: ['note://one'] } });
  await until(() => upstream.times('resources/subscribe') === 1, 'the resource is subscribed to');
  await until(() => {
    upstream.tellUpdated('note://one');
    return listening.heard.some(({ method }) => method === 'notifications/resources/updated');
  }, 'who listens hears of the resource');
  const before = deletions();
  listening.leave();
  await until(() => deletions() > before, 'the upstream’s session has ended');
  expect(everybodyWas()).toEqual([OWN]);
});
