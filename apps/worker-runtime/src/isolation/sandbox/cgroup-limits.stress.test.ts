import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { untilGone, untilTrue } from '../../worker-runtime.fixture.js';
import { Cgroups, ownCgroup } from '../cgroups.js';
import { openHostileWorkers, sandboxHost, type HostileWorker, type HostileWorkers } from './sandbox.fixture.js';

const PROCESSES_MAX = 128;
const FEWER = 64;
const MIB = 1024 * 1024;

const host = await sandboxHost();
const own = ownCgroup();
const cgroups = typeof host === 'string' ? undefined : Cgroups.open(own);
const missing =
  typeof host === 'string'
    ? host
    : own === undefined
      ? 'no cgroup v2 is mounted'
      : 'this process is in no cgroup v2 folder of its own with cpu, memory and pids (systemd: Delegate=yes)';
const suite = cgroups === undefined ? describe.skip : describe;
/** A worker may have one and a half cores: the kernel has nothing to hold back where there is one. */
const withCores = availableParallelism() > 1 ? it : it.skip;
/** Native programs are written for x64. */
const native = process.arch === 'x64' ? it : it.skip;

suite(
  cgroups === undefined
    ? `what the kernel holds a worker to (skipped: ${missing})`
    : 'what the kernel holds a worker to',
  () => {
    let workers: HostileWorkers;
    let neighbour: HostileWorker;

    beforeAll(async () => {
      workers = await openHostileWorkers(host, cgroups);
      neighbour = workers.start();
    });
    afterAll(() => workers.close());

    const folders = (): string[] =>
      readdirSync(own?.folder ?? '').filter((name) => name.startsWith(`wharf-worker-${process.pid}-`));

    /** Starts a worker, and says which folder is its. */
    async function startIn(memoryMb: number) {
      const before = new Set(folders());
      const worker = workers.start(memoryMb);
      const folder = folders().find((name) => !before.has(name)) ?? '';
      await worker.does('echo', 'up');
      const place = (file: string): string => path.join(own?.folder ?? '', folder, file);
      const read = (file: string): string => readFileSync(place(file), 'utf8').trim();
      return { worker, read, write: (file: string, text: string): void => writeFileSync(place(file), text) };
    }
    const counted = (text: string, name: string): number =>
      Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1] ?? 0);

    it('every process of a worker is in its folder, and none of ours', async () => {
      const { worker, read } = await startIn(256);
      const inside = read('cgroup.procs').split('\n').map(Number);
      expect(inside).toEqual(expect.arrayContaining(worker.processes()));
      expect(inside).not.toContain(process.pid);
      expect(read('memory.max')).toBe(`${256 * MIB}`);
      expect(read('cpu.max')).toBe('150000 100000');
      worker.kill();
      await worker.exited;
    });

    it('ends all of a worker whose processes together hold more memory than it may, and nobody else', async () => {
      const { worker } = await startIn(128);
      const seen = worker.processes();
      worker.begins('hoard', 8);
      expect((await worker.exited).signal).toBe('SIGKILL');
      await Promise.all(seen.map(untilGone));
      expect(workers.lines.join()).not.toContain('"bytesMax"');
      expect(await neighbour.does('echo', 'alive')).toBe('alive');
    });

    native('refuses a fork bomb the process that is one too many', async () => {
      const { worker, read, write } = await startIn(256);
      expect(read('pids.max')).toBe(`${PROCESSES_MAX}`);
      write('pids.max', `${FEWER}`); // or the limit of its user, which is as large, may be met first
      worker.begins('fork-bomb');
      await untilTrue(() => counted(read('pids.events'), 'max') > 0);
      expect(await neighbour.does('echo', 'alive')).toBe('alive');
      expect(Number(read('pids.current'))).toBeLessThanOrEqual(FEWER);
      const seen = worker.processes();
      worker.kill();
      await worker.exited;
      await Promise.all(seen.map(untilGone));
    });

    withCores('gives one worker no more than one and a half cores', async () => {
      const { worker, read } = await startIn(256);
      await worker.does('spin-children', 3);
      await untilTrue(() => counted(read('cpu.stat'), 'nr_throttled') > 0);
      worker.kill();
      await worker.exited;
    });

    it('leaves no folder behind but that of the last, which goes with the next', async () => {
      const left = neighbour.processes();
      neighbour.kill();
      await neighbour.exited;
      await Promise.all(left.map(untilGone));
      const last = workers.start();
      await last.does('echo');
      last.kill();
      await last.exited;
      expect(folders().length).toBeLessThanOrEqual(1);
    });
  },
);
