import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { testRedis, until, wayTo, type Way } from '#libs/testing';
import { startControlPlane, type Answer, type ControlPlane } from '../testing/control-plane.fixture.js';

let api: ControlPlane;
let way: Way;

beforeEach(async () => {
  way = await wayTo((await testRedis()).redisUrl);
});

afterEach(async () => {
  await api?.stop();
  await way?.stop();
});

const key = (): { key: string } => ({ key: api.operatorKey });
const turn = (to: 'pause' | 'resume', reason: string): Promise<Answer> =>
  api.send('POST', `/admin/v1/queues/drift/${to}`, { ...key(), body: { reason } });
const drift = async () => {
  const { body } = await api.send('GET', '/admin/v1/queues', key());
  return body.queues.find(({ queue }: { queue: string }) => queue === 'drift');
};
const outcomes = async (reason: string): Promise<unknown[]> => {
  const { body } = await api.send('GET', `/admin/v1/actions?action=queues&q=${reason}`, key());
  return body.actions.map(({ details }: { details: { outcome: string; failure?: string } }) => [
    details.outcome,
    details.failure,
  ]);
};

test.each(['after it was there', 'since the service began'])(
  'a queue is not paused while Redis is away %s, nor later by what was refused, and is when it is back',
  async (since) => {
    if (since === 'since the service began') await way.shut();
    api = await startControlPlane({ environment: { REDIS_URL: way.url } });
    if (since !== 'since the service began') {
      expect((await drift()).paused).toBe(false);
      await way.shut();
    }
    const refused = await turn('pause', 'meanwhile');
    expect([refused.status, refused.body.code, refused.headers.get('retry-after')]).toEqual([503, 'unavailable', '5']);
    expect(refused.body.detail).toContain('Redis');
    // What is not known is not told as if it were.
    expect(await drift()).toMatchObject({ paused: null, waiting: null, active: null, open: 0 });
    expect(await outcomes('meanwhile')).toEqual([
      ['failed', 'unavailable'],
      ['asked', undefined],
    ]);
    await way.open();
    await until(async () => (await drift()).paused !== null, 'Redis is reached again');
    expect((await drift()).paused).toBe(false);
    expect((await turn('pause', 'afterwards')).status).toBe(204);
    expect((await drift()).paused).toBe(true);
    expect((await turn('resume', 'rested')).status).toBe(204);
    expect((await drift()).paused).toBe(false);
  },
);
