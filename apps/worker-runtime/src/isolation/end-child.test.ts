import { afterEach, expect, jest, test } from '@jest/globals';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createLogger } from '#libs/telemetry';
import { untilGone } from '../worker-runtime.fixture.js';
import { ChildWorker } from './child-worker.js';
import { endSandbox, endTree } from './end-child.js';
import { ProcessTable } from './process-table.js';

afterEach(() => {
  jest.restoreAllMocks();
});

function startChild(script: string, detached = false): ChildProcess {
  return spawn('/bin/sh', ['-c', script], { stdio: ['ignore', 'pipe', 'pipe', 'pipe'], detached });
}

test.each([
  ['a tree', endTree],
  ['a sandbox', endSandbox],
])('sends no signal to the id of %s that has ended: it may be somebody else', async (_name, end) => {
  const child = startChild('exit 0');
  await once(child, 'exit');
  const kill = jest.spyOn(process, 'kill');
  const killChild = jest.spyOn(child, 'kill');
  end(child);
  expect([kill.mock.calls, killChild.mock.calls]).toEqual([[], []]);
});

test('a worker that has ended is no process any more, also while others hold its output open', async () => {
  const child = startChild('sleep 1000 & echo $!');
  const [printed] = (await once(child.stdout ?? child, 'data')) as [Buffer]; // what the shell printed
  let ends = 0;
  const logger = createLogger('test', 'silent');
  const worker = new ChildWorker(
    child,
    logger,
    () => undefined,
    () => (ends += 1),
  );
  if (child.exitCode === null) await once(child, 'exit');
  expect(worker.pid).toBeUndefined();
  worker.kill();
  expect(ends).toBe(0);
  process.kill(Number(printed.toString()), 'SIGKILL');
});

test('a process is ended only while its id is still its own', async () => {
  const child = startChild('exec sleep 1000'); // a shell that waits for it would leave it behind
  const pid = child.pid ?? 0;
  const seen = new ProcessTable();
  child.kill('SIGKILL');
  await once(child, 'exit');
  await untilGone(pid);
  const kill = jest.spyOn(process, 'kill');
  seen.end(pid);
  expect(kill).not.toHaveBeenCalled();
});

test('a child is ended with its children, those in sessions of their own too', async () => {
  const child = startChild('sleep 1000 & setsid sleep 1000 & echo ready; wait', true);
  await once(child.stdout ?? child, 'data');
  const tree = new ProcessTable().treeOf(child.pid ?? 0);
  endTree(child);
  await Promise.all(tree.map(untilGone));
  expect(tree.length).toBeGreaterThanOrEqual(3);
});
