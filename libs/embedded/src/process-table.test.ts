import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { isRunning, startTimeOf } from './process-table.js';

const onLinux = process.platform === 'linux' ? test : test.skip;

onLinux('a process that was killed is not running, also before its parent has looked', async () => {
  const child = spawn('sleep', ['60'], { stdio: 'ignore' });
  const over = once(child, 'exit');
  const { pid } = child;
  if (pid === undefined) throw new Error('it did not start');
  const started = startTimeOf(pid);
  expect(isRunning(pid, started)).toBe(true);
  child.kill('SIGKILL');
  // Nothing else runs in this process meanwhile, so nothing looks after the child.
  while (!readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z '));
  expect(isRunning(pid, started)).toBe(false);
  await over;
});
