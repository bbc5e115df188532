import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { untilGone, untilTrue } from '../../worker-runtime.fixture.js';
import { openHostileWorkers, sandboxHost, type HostileWorker, type HostileWorkers } from './sandbox.fixture.js';

const EPERM = 1;
const ENOSYS = 38;

const host = await sandboxHost();
const suite = typeof host === 'string' ? describe.skip : describe;
/** Native programs are written for x64; the filter for arm64 has the same rules with other numbers. */
const native = process.arch === 'x64' ? it : it.skip;
const withProc = typeof host === 'string' || host.tools.proc ? it : it.skip;

suite(
  typeof host === 'string' ? `what a sandboxed worker does (skipped: ${host})` : 'what a sandboxed worker does',
  () => {
    let workers: HostileWorkers;
    let worker: HostileWorker;

    beforeAll(async () => {
      workers = await openHostileWorkers(host);
      worker = workers.start();
    });

    afterAll(() => workers.close());

    /** The neighbour that every attack leaves alone. */
    const neighbourAnswers = async (): Promise<void> => expect(await worker.does('echo', 'alive')).toBe('alive');

    describe('processes', () => {
      it('sees no environment', async () => {
        const environment = await worker.does<Record<string, string>>('environment');
        expect(environment).toEqual({ TZ: 'UTC', PWD: '/scratch' });
      });

      withProc('inherits nothing open but its pipes', async () => {
        const open = await worker.does<string[]>('descriptors');
        const expected = /^(\/dev\/null|\/dev\/u?random|(pipe|socket):\[\d+\]|anon_inode:.*|\/proc\/\d+\/fd|closed)$/;
        expect(open.filter((target) => !expected.test(target))).toEqual([]);
      });

      withProc('sees no process but its own, and no capability', async () => {
        const fresh = workers.start();
        expect(await fresh.does('processes')).toEqual(['1']);
        const status = await fresh.does<string>('status');
        for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'])
          expect(status).toMatch(new RegExp(`^${set}:\\s+0+$`, 'm'));
        expect(status).toMatch(/^NoNewPrivs:\s+1$/m);
        expect(status).toMatch(/^Seccomp:\s+2$/m);
        fresh.kill();
        await fresh.exited;
      });

      it('is a user of its own, and stays it', async () => {
        const [, uid, becameRoot] = await worker.does<[string, number, string]>('user');
        expect([uid, becameRoot]).toEqual([65_534, expect.not.stringMatching(/^ok$/)]);
        const [first, second] = await Promise.all([workers.start(), workers.start()].map(outsideUser));
        if (process.getuid?.() === 0) expect(first).not.toBe(second);
        expect(first).not.toBe('0');
      });

      it('sends no signal outside', async () => {
        const other = workers.start();
        await other.does('echo');
        const killer = workers.start();
        await killer.does('signal', [process.pid, ...worker.processes(), ...other.processes(), 1, -1]);
        expect(await other.does('echo', 'alive')).toBe('alive');
        await neighbourAnswers();
        other.kill();
        killer.kill();
      });

      native('makes none of the system calls that escapes are made of', async () => {
        const refused = [
          101, 310, 272, 308, 165, 166, 155, 161, 428, 304, 321, 298, 323, 425, 250, 319, 29, 175, 246, 103, 206, 451,
        ];
        const newUser = 0x1000_0000;
        expect(
          await worker.does(
            'call',
            refused.map((number) => [number]),
          ),
        ).toEqual(refused.map(() => EPERM));
        expect(await worker.does('call', [[435], [56, newUser], [39]])).toEqual([ENOSYS, EPERM, 0]);
        const newer = [457, 458, 467, 470, 500, 1_000];
        expect(
          await worker.does(
            'call',
            newer.map((number) => [number]),
          ),
        ).toEqual(newer.map(() => ENOSYS));
      });

      native('is held to its number of processes by a fork bomb, and ends with all of them', async () => {
        const bomber = workers.start();
        bomber.begins('fork-bomb');
        await untilTrue(() => bomber.processes().length > 50);
        await neighbourAnswers();
        const seen = bomber.processes();
        expect(seen.length).toBeLessThanOrEqual(130);
        bomber.kill();
        await bomber.exited;
        await Promise.all(seen.map(untilGone));
      });

      native('leaves no process behind that had hidden in a session of its own', async () => {
        for (let start = 0; start < 20; start += 1) {
          const hider = workers.start();
          await hider.does('hide', 3);
          const seen = hider.processes();
          expect(seen.length).toBeGreaterThanOrEqual(5);
          if (start % 2 === 0) hider.kill();
          else hider.stop();
          await hider.exited;
          await Promise.all(seen.map(untilGone));
        }
      });

      it('is ended in an endless loop, also one that was asked to stop', async () => {
        const spinners = [workers.start(), workers.start()];
        for (const spinner of spinners) {
          await spinner.does('echo');
          spinner.begins('spin');
        }
        await neighbourAnswers();
        spinners[0]?.kill();
        spinners[1]?.stop();
        const exits = await Promise.all(spinners.map((spinner) => spinner.exited));
        expect(exits).toEqual([
          { code: null, signal: 'SIGKILL' },
          { code: null, signal: 'SIGKILL' },
        ]);
      });
    });

    describe('memory and output', () => {
      it.each(['heap-bomb', 'buffer-bomb'])(
        'ends only the worker with a %s, at what its plan gives it',
        async (bomb) => {
          const bomber = workers.start(128);
          bomber.begins(bomb);
          const exit = await bomber.exited;
          expect(exit.signal ?? exit.code).not.toBe(0);
          await neighbourAnswers();
        },
      );

      it('keeps only the first lines of a flood of output, and answers others meanwhile', async () => {
        const before = workers.lines.length;
        const flooder = workers.start();
        flooder.begins('flood');
        await untilTrue(() => workers.lines.length - before > 60);
        for (let round = 0; round < 50; round += 1) await neighbourAnswers();
        expect(workers.lines.length - before).toBeLessThanOrEqual(130);
        flooder.kill();
        await flooder.exited;
      });

      it('ends a worker that sends what is no frame', async () => {
        const liar = workers.start();
        liar.begins('garbage');
        expect(await liar.exited).toEqual({ code: null, signal: 'SIGKILL' });
      });
    });

    /** Who a worker is on the host. */
    async function outsideUser(asked: HostileWorker): Promise<string | undefined> {
      await asked.does('echo');
      const pid = asked.processes().at(-1) ?? 0;
      const user = /^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1];
      asked.kill();
      return user;
    }
  },
);
