import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createSocket } from 'node:dgram';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PROJECT_ROOT } from '../project-root.js';
import { openHostileWorkers, sandboxHost, type HostileWorker, type HostileWorkers } from './sandbox.fixture.js';

const MIB = 1024 * 1024;
const EPERM = 1;
const EAFNOSUPPORT = 97;

const host = await sandboxHost();
const suite = typeof host === 'string' ? describe.skip : describe;
/** Native programs are written for x64; the filter for arm64 has the same rules with other numbers. */
const native = process.arch === 'x64' ? it : it.skip;

suite(
  typeof host === 'string' ? `what a sandboxed worker reaches (skipped: ${host})` : 'what a sandboxed worker reaches',
  () => {
    let workers: HostileWorkers;
    let worker: HostileWorker;
    let folder: string;

    beforeAll(async () => {
      workers = await openHostileWorkers(host);
      worker = workers.start();
      folder = mkdtempSync(path.join(tmpdir(), 'wharf-canary-'));
      writeFileSync(path.join(folder, 'canary'), 'CANARY');
    });

    afterAll(async () => {
      await workers.close();
      rmSync(folder, { recursive: true, force: true });
    });

    describe('files', () => {
      it('shows the runtime, its libraries, devices and scratch, and no file of the host', async () => {
        const listed = await worker.does<Record<string, string[]>>('list', ['/', '/wharf', '/wharf/dist/libs', '/dev']);
        const elsewhere = ['lib', 'lib64', 'usr', 'proc'];
        expect(listed['/']?.filter((name) => !elsewhere.includes(name)).sort()).toEqual(['dev', 'scratch', 'wharf']);
        expect(listed['/wharf']?.sort()).toEqual(['bin', 'dist', 'node_modules', 'package.json']);
        expect(listed['/wharf/dist/libs']?.sort()).toEqual(['errors', 'protocol']);
        expect(listed['/dev']?.sort()).toEqual(['full', 'null', 'random', 'urandom', 'zero']);
      });

      it('lets no file of the host be read', async () => {
        const files = [
          path.join(folder, 'canary'),
          '/etc/passwd',
          '/etc/shadow',
          '/etc/hostname',
          path.join(PROJECT_ROOT, 'package.json'),
          path.join(PROJECT_ROOT, 'bin/wharf.mjs'),
          '/wharf/dist/libs/database/src/index.js',
          '/wharf/node_modules/pg/package.json',
          '/root',
          '/home',
          '/tmp',
          '/var',
          '/sys',
        ];
        const read = await worker.does<Record<string, string>>('read', files);
        expect(Object.fromEntries(files.map((file) => [file, 'ENOENT']))).toEqual(read);
      });

      it('lets nothing be written outside scratch', async () => {
        const files = [
          '/file',
          '/etc',
          '/tmp/file',
          '/wharf/file',
          '/wharf/package.json',
          '/wharf/bin/node',
          '/dev/file',
          '/usr/file',
          '/proc/sys/kernel/hostname',
          '/proc/sysrq-trigger',
          '/proc/1/oom_score_adj',
        ];
        const written = await worker.does<Record<string, string>>('write', files);
        expect(Object.entries(written).filter(([, outcome]) => outcome === 'ok')).toEqual([]);
        expect(await worker.does('write', ['/scratch/file'])).toEqual({ '/scratch/file': 'ok' });
      });

      it('shows one worker nothing of what another has written', async () => {
        const other = workers.start();
        await other.does('write', ['/scratch/secret']);
        expect(await worker.does('read', ['/scratch/secret'])).toEqual({ '/scratch/secret': 'ENOENT' });
        other.kill();
        await other.exited;
      });

      it('ends the filling of scratch at its size', async () => {
        const filler = workers.start();
        const [written, refusal] = await filler.does<[number, string]>('fill', 256 * 1024);
        expect(refusal).toMatch(/ENOSPC|EFBIG/);
        expect(written).toBeLessThanOrEqual(16 * MIB);
        filler.kill();
        await filler.exited;
      });

      it('ends a worker that fills the memory of scratch with empty files', async () => {
        const filler = workers.start();
        filler.begins('fill-many', 10_000_000);
        expect(await filler.exited).toEqual({ code: null, signal: 'SIGKILL' });
        expect(workers.lines.join()).toContain('"filesMax"');
      });

      it('refuses the thousandth open file', async () => {
        const [opened, refusal] = await worker.does<[number, string]>('files', 100_000);
        expect(refusal).toBe('EMFILE');
        expect(opened).toBeLessThan(1_024);
      });
    });

    describe('network', () => {
      let server: Server;
      let port = 0;
      const heard: string[] = [];

      beforeAll(async () => {
        server = createServer((socket) => {
          heard.push('connection');
          socket.destroy();
        });
        await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve));
        const address = server.address();
        port = typeof address === 'object' && address !== null ? address.port : 0;
      });

      afterAll(() => new Promise((resolve) => server.close(resolve)));

      it('reaches neither PostgreSQL nor Redis nor anything else on loopback, nor the metadata address, nor the world', async () => {
        const { WHARF_TEST_DATABASE_URL = '', WHARF_TEST_REDIS_URL = '' } = process.env;
        const loopback = [WHARF_TEST_DATABASE_URL, WHARF_TEST_REDIS_URL].map((url) => ({
          host: '127.0.0.1',
          port: Number(new URL(url).port),
        }));
        const targets = [
          ...loopback,
          { host: '127.0.0.1', port },
          { host: '::1', port },
          { host: '169.254.169.254', port: 80 },
          { host: '1.1.1.1', port: 443 },
          { host: '2606:4700:4700::1111', port: 443 },
          { path: path.join(folder, 'socket') },
          { path: '\0abstract' },
        ];
        const outcomes = await worker.does<string[]>('connect', targets);
        expect(outcomes).toHaveLength(targets.length);
        for (const outcome of outcomes) expect(outcome).toMatch(/ECONNREFUSED|ENETUNREACH|EADDRNOTAVAIL|ENOENT/);
        expect(heard).toEqual([]);
      });

      it('reaches no unix socket of the host by its abstract name', async () => {
        const name = `\0wharf-test-${process.pid}`;
        const abstract = createServer(() => heard.push('abstract'));
        await new Promise<void>((resolve) => abstract.listen(name, resolve));
        expect(await worker.does('connect', [{ path: name }])).toEqual(['ECONNREFUSED']);
        await new Promise((resolve) => abstract.close(resolve));
      });

      it('resolves no name and sends no datagram', async () => {
        const outcomes = await worker.does<string[]>('resolve', 'example.com');
        expect(outcomes).not.toContain('ok');
        const socket = createSocket('udp4', () => heard.push('datagram'));
        await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
        await worker.does('datagram', ['127.0.0.1', socket.address().port]);
        expect(await worker.does('datagram', ['8.8.8.8', 53])).toBe('ENETUNREACH');
        await new Promise<void>((resolve) => socket.close(() => resolve()));
        expect(heard).toEqual([]);
      });

      native('opens no raw, packet, vsock, Bluetooth or kernel-crypto socket', async () => {
        const [stream, raw] = [1, 3];
        const families = { raw: [2, raw], raw6: [10, raw], packet: [17, raw], vsock: [40, stream] };
        const more = { bluetooth: [31, stream], crypto: [38, 5], xdp: [44, raw], key: [15, raw] };
        const calls = Object.values({ ...families, ...more }).map(([family = 0, type = 0]) => [41, family, type, 0]);
        const outcomes = await worker.does<number[]>('call', calls);
        expect(outcomes.slice(0, 2).every((errno) => [EPERM, 94, 93].includes(errno))).toBe(true);
        expect(outcomes.slice(2)).toEqual(outcomes.slice(2).map(() => EAFNOSUPPORT));
      });
    });
  },
);
