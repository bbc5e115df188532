import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { untilGone, untilTrue } from '../../worker-runtime.fixture.js';
import { openHostileWorkers, sandboxHost, type HostileWorker, type HostileWorkers } from './sandbox.fixture.js';

const host = await sandboxHost();
const suite = typeof host === 'string' ? describe.skip : describe;
const withProc = typeof host === 'string' || host.tools.proc ? it : it.skip;
/** Only who has CAP_SYS_RESOURCE sets a score that its children cannot take back (proc_pid_oom_score_adj(5)). */
const RESOURCES = 1n << 24n;
const capabilities = /^CapEff:\s+([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1] ?? '0';
const mayKeepDown = (BigInt(`0x${capabilities}`) & RESOURCES) !== 0n;
/** Most that a worker's log shows of one line. */
const LINE_CHARACTERS_MAX = 2_000;

suite(
  typeof host === 'string' ? `corners of a sandboxed worker (skipped: ${host})` : 'corners of a sandboxed worker',
  () => {
    let workers: HostileWorkers;
    let worker: HostileWorker;

    beforeAll(async () => {
      workers = await openHostileWorkers(host);
      worker = workers.start();
    });

    afterAll(() => workers.close());

    it('follows no link to a file of the host', async () => {
      const targets = [
        '/etc/passwd',
        '/proc/1/root/etc/passwd',
        '/proc/self/root/../../../etc/passwd',
        '../../etc/passwd',
      ];
      const read = await worker.does<string[]>('links', targets);
      for (const outcome of read) expect(outcome).toMatch(/ENOENT|EACCES|ELOOP/);
    });

    it('has no terminal to type into, and no memory that is shared by name', async () => {
      const places = ['/dev/tty', '/dev/console', '/dev/pts/0', '/dev/ptmx', '/dev/shm/x', '/dev/mqueue/x', '/run/x'];
      const written = await worker.does<Record<string, string>>('write', places);
      for (const place of places) expect([place, written[place]]).toEqual([place, expect.not.stringMatching(/^ok$/)]);
    });

    withProc("opens the memory of no process but its own, and finds nobody else's", async () => {
      expect(await worker.does('memories')).toEqual([]);
      const ours = `/proc/${process.pid}/mem`;
      expect(await worker.does('read', [ours])).toEqual({ [ours]: 'ENOENT' });
    });

    withProc('finds its first process held as it is, whose memory it may write where code of others runs', async () => {
      const beside = workers.startForBundles();
      const { status, limits, environ = '' } = await beside.does<Record<string, string>>('first');
      expect(status).toMatch(/^Name:\s+bwrap$/m);
      expect(status).toMatch(/^Seccomp:\s+2$/m);
      expect(status).toMatch(/^CapBnd:\s+0+$/m);
      expect(limits).toMatch(/^Max open files\s+1024\s+1024/m);
      expect(limits).toMatch(/^Max core file size\s+0\s+0/m);
      expect(limits).not.toMatch(/^Max data size\s+unlimited/m);
      if (typeof host !== 'string' && host.tools.countsProcesses === 'user')
        expect(limits).toMatch(/^Max processes\s+128\s+128/m);
      const names = environ
        .split('\0')
        .filter(Boolean)
        .map((text) => text.split('=')[0] ?? '');
      expect(names.filter((name) => !['PWD', 'LD_LIBRARY_PATH'].includes(name))).toEqual([]);
      beside.kill();
      await beside.exited;
    });

    (mayKeepDown ? it : it.skip)('stays the first to go when the machine is out of memory', async () => {
      expect(await worker.does('spare-me')).toBe('EACCES');
    });

    it('answers no other worker on the port that it listens on, which others may have too', async () => {
      const other = workers.start();
      expect(await worker.does('listen', 5_432)).toBe('ok');
      expect(await other.does('connect', [{ host: '127.0.0.1', port: 5_432 }])).toEqual(['ECONNREFUSED']);
      expect(await other.does('listen', 5_432)).toBe('ok');
      other.kill();
      await other.exited;
    });

    it('stops nobody but itself, and is ended all the same, with those that it has stopped', async () => {
      const stopper = workers.start();
      await stopper.does('stop-children', 3);
      await untilTrue(() => stopper.processes().length >= 5);
      const seen = stopper.processes();
      stopper.begins('stop');
      expect(await worker.does('echo', 'alive')).toBe('alive');
      stopper.kill();
      await stopper.exited;
      await Promise.all(seen.map(untilGone));
    });

    it('shows the beginning of a line that has no end, and the log goes on', async () => {
      const talker = workers.start();
      const before = workers.lines.length;
      talker.begins('one-line', 512 * 1024);
      expect(await worker.does('echo', 'alive')).toBe('alive');
      await talker.does('echo', 'written');
      talker.begins('flood');
      await untilTrue(() => workers.lines.length > before + 1);
      for (const line of workers.lines.slice(before)) expect(line.length).toBeLessThan(LINE_CHARACTERS_MAX + 200);
      talker.kill();
      await talker.exited;
    });
  },
);
