import { expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { encodeFrame, type FromRunnerFrame } from '#libs/protocol';
import { createLogger } from '#libs/telemetry';
import { Egress } from '../egress/egress.js';
import { ChildWorker } from '../isolation/child-worker.js';
import { endTree } from '../isolation/end-child.js';
import { BoundWorker } from './bound-worker.js';

const route = { tenantId: '01900000-0000-7000-8000-000000000001', key: 'k', mounts: [] };
/** Writes what it is told to its pipe, so many times, and reads what it is answered; ends only when it is ended. */
const RUNNER = `
  const pipe = new (require('node:net').Socket)({ fd: 3, readable: true, writable: true });
  const [frame, times] = [Buffer.from(process.argv[1], 'base64'), Number(process.argv[2])];
  pipe.on('error', () => undefined).resume();
  setInterval(() => undefined, 1e6);
  pipe.write(Buffer.concat(Array.from({ length: times }, () => frame)), () => console.log('said'));`;

/** A worker whose runner says the same frame again and again; settles when it has been ended, or has said it all. */
async function hear(frame: FromRunnerFrame, times: number): Promise<'ended' | 'said'> {
  const args = ['-e', RUNNER, encodeFrame(frame).toString('base64'), String(times)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe', 'pipe'] });
  const said = once(child.stdout ?? child, 'data').then(() => 'said' as const);
  const logger = createLogger('test', 'silent');
  const worker = new ChildWorker(
    child,
    logger,
    () => undefined,
    () => endTree(child),
  );
  const egress = new Egress();
  const ended = new Promise<'ended'>((resolve) => {
    const binding = { route, manifests: new Map(), archives: new Map(), memoryMb: undefined };
    void new BoundWorker(worker, binding, egress, () => resolve('ended'));
  });
  const first = await Promise.race([ended, said]);
  worker.kill();
  await ended;
  return first;
}

const fetchFor = (s: number): FromRunnerFrame => ({
  t: 'fetch',
  f: 1,
  s,
  digest: `sha256:${'0'.repeat(64)}`,
  method: 'GET',
  url: 'https://example.com/',
  tool: 'read',
  headers: {},
  timeoutMs: 1_000,
});

test.each([
  ['questions', { t: 'ask', s: 7, a: 1, serverSlug: 'notes' }],
  ['requests', fetchFor(7)],
  ['parts of answers', { t: 'part', s: 7 }],
] satisfies Array<[string, FromRunnerFrame]>)(
  'a runner whose %s are for no call that is open is ended',
  async (_, frame) => {
    expect(await hear(frame, 20_000)).toBe('ended');
  },
);

test('some that cross the end of their call are answered, and it goes on', async () => {
  expect(await hear(fetchFor(7), 500)).toBe('said');
});
