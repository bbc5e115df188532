import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { connect } from 'node:tls';
import { createLogger, type Logger } from '#libs/telemetry';
import type { FromRunnerFrame } from '#libs/protocol';
import { untilTrue } from '../../worker-runtime.fixture.js';
import type { WorkerExit, WorkerProcess } from '../worker-driver.js';
import { RECORDED } from './api-answers.fixture.js';
import { ApiServerUnderTest } from './api-server.fixture.js';
import { Cluster } from './cluster.js';
import { PodDriver } from './pod-driver.js';
import { PodGate } from './pod-gate.js';
import { OWNER_LABEL, type PodSettings } from './pod-manifest.js';

const SETTINGS: PodSettings = {
  namespace: 'wharf-workers',
  image: 'registry.example/wharf@sha256:0',
  runtimeClass: 'gvisor',
  dialHost: '127.0.0.1',
  secondsMax: 3_600,
  scratchMb: 16,
};

let api: ApiServerUnderTest;
let lines: string[];
const drivers: PodDriver[] = [];

beforeEach(async () => {
  api = await ApiServerUnderTest.start();
  lines = [];
});
afterEach(async () => {
  await Promise.all(drivers.splice(0).map((driver) => driver.close()));
  await api.stop();
});

function listeningLogger(): Logger {
  const logger = createLogger('test', 'silent');
  const hear = (...parts: unknown[]): void => void lines.push(JSON.stringify(parts));
  logger.warn = hear as typeof logger.warn; // all that is called
  logger.error = hear as typeof logger.error; // the same
  return logger;
}

async function openDriver(startMs = 60_000): Promise<PodDriver> {
  const logger = listeningLogger();
  const gate = await PodGate.listen(0, logger);
  const cluster = new Cluster(api.config(), SETTINGS.namespace);
  const driver = await PodDriver.open({ logger, cluster, gate, settings: SETTINGS, startMs });
  drivers.push(driver);
  return driver;
}

interface Heard {
  readonly frames: FromRunnerFrame[];
  exit: WorkerExit | undefined;
}

function hear(worker: WorkerProcess): Heard {
  const heard: Heard = { frames: [], exit: undefined };
  worker.assign(
    { tenantId: 'tenant-canary' },
    { onFrame: (frame) => heard.frames.push(frame), onExit: (exit) => (heard.exit = exit) },
  );
  return heard;
}

const isReady = ({ frames }: Heard) => frames.some(({ t }) => t === 'ready');
const soleName = (): string => [...api.pods.keys()][0] ?? '';

test('a pod calls back with its key and is deleted with it when its worker is killed', async () => {
  const driver = await openDriver();
  const worker = driver.start({ memoryMb: 128 });
  const heard = hear(worker);
  await untilTrue(() => isReady(heard));
  await untilTrue(() => api.secrets.size === 0); // the key has opened what it was for
  const child = api.processes.get(soleName());
  worker.kill();
  await untilTrue(() => heard.exit !== undefined && api.pods.size === 0);
  expect(heard.exit).toEqual({ code: null, signal: 'SIGKILL' });
  await untilTrue(() => child?.exitCode !== null || child.signalCode !== null);
});

test('makes no pod that is less closed than the restricted standard, and names no tenant in it', async () => {
  const driver = await openDriver();
  hear(driver.start({ memoryMb: 128 }));
  await untilTrue(() => api.pods.size === 1);
  const pod = [...api.pods.values()][0];
  expect(JSON.stringify(pod)).not.toContain('tenant-canary');
  expect(JSON.stringify(pod)).not.toContain(String((api.secrets.get(soleName()) as { data?: object })?.data));
  expect(pod).toMatchObject({
    spec: {
      runtimeClassName: 'gvisor',
      restartPolicy: 'Never',
      activeDeadlineSeconds: 3_600,
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      securityContext: { runAsNonRoot: true, runAsUser: 65_534, seccompProfile: { type: 'RuntimeDefault' } },
      containers: [
        {
          resources: { limits: { memory: '128Mi', cpu: '1500m' } },
          securityContext: {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ['ALL'] },
          },
        },
      ],
    },
  });
});

test('a pod that dies ends its worker, with its reason and the last that it printed in the log', async () => {
  const driver = await openDriver();
  const heard = hear(driver.start({ memoryMb: 128 }));
  await untilTrue(() => isReady(heard));
  api.processes.get(soleName())?.kill('SIGKILL');
  await untilTrue(() => heard.exit !== undefined && api.pods.size === 0);
  expect(lines.join('\n')).toContain('OOMKilled');
});

test('a quota that is used up ends the worker with the reason, and the cluster is not asked without end', async () => {
  const driver = await openDriver();
  api.answerNext(/^POST .*pods$/, RECORDED.quota);
  const first = hear(driver.start({ memoryMb: 128 }));
  await untilTrue(() => first.exit !== undefined);
  const asked = api.requests.filter((line) => line.startsWith('POST')).length;
  const second = hear(driver.start({ memoryMb: 128 }));
  await untilTrue(() => second.exit !== undefined);
  expect(api.requests.filter((line) => line.startsWith('POST'))).toHaveLength(asked);
  expect(lines.join('\n')).toContain('exceeded quota: workers');
  await untilTrue(() => api.secrets.size === 0);
});

test('a name that is taken is no pod of ours', async () => {
  const driver = await openDriver();
  api.answerNext(/^POST .*pods$/, RECORDED.conflict);
  const heard = hear(driver.start({ memoryMb: 128 }));
  await untilTrue(() => heard.exit !== undefined);
  expect(lines.join('\n')).toContain('already exists');
});

test('a pod whose making was not answered is the one that is used', async () => {
  const driver = await openDriver();
  api.answerNext(/^POST .*pods$/, 'done-without-answer');
  const heard = hear(driver.start({ memoryMb: 128 }));
  await untilTrue(() => isReady(heard));
  await untilTrue(() => api.requests.filter((line) => /^POST .*pods$/.test(line)).length === 2);
  expect([heard.exit, api.pods.size]).toEqual([undefined, 1]);
});

test('a cluster that says nothing is asked again after a while, and keeps nobody else waiting', async () => {
  const driver = await openDriver();
  api.answerNext(/^POST .*pods$/, 'silence');
  const [slow, other] = [hear(driver.start({ memoryMb: 128 })), hear(driver.start({ memoryMb: 128 }))];
  await untilTrue(() => isReady(slow) || isReady(other));
  expect(isReady(slow) && isReady(other)).toBe(false);
  await untilTrue(() => isReady(slow) && isReady(other));
});

test('an overloaded cluster is asked again', async () => {
  const driver = await openDriver();
  api.answerNext(/^POST .*pods$/, RECORDED.overloaded);
  const heard = hear(driver.start({ memoryMb: 128 }));
  await untilTrue(() => isReady(heard));
});

test('a pod that does not call in time is given up, with what it waits for', async () => {
  api.schedules = false;
  const driver = await openDriver(5_000);
  const heard = hear(driver.start({ memoryMb: 128 }));
  await untilTrue(() => heard.exit !== undefined && api.pods.size === 0 && api.secrets.size === 0);
  expect(lines.join('\n')).toMatch(/"state":"Pending".*did not call in time/);
});

test('goes on watching after versions that the server has forgotten, and after refusals', async () => {
  api.schedules = false; // so that only the watch can tell
  const driver = await openDriver();
  await untilTrue(() => api.watches === 1);
  api.answerNext(/pods watch$/, RECORDED.gone);
  api.endWatches({ type: 'ERROR', object: RECORDED.gone.body });
  const heard = hear(driver.start({ memoryMb: 128 }));
  await untilTrue(() => api.pods.size === 1);
  api.answerNext(/^GET .*pods$/, RECORDED.overloaded);
  api.setStatus(soleName(), { phase: 'Failed', reason: 'Evicted' });
  await untilTrue(() => heard.exit !== undefined);
  await untilTrue(() => lines.some((line) => line.includes('Evicted')));
});

test('deletes what a dead runtime has left, and leaves alone what a living one has', async () => {
  const living = await openDriver();
  hear(living.start({ memoryMb: 128 }));
  await untilTrue(() => api.processes.size === 1);
  const [livingPod] = api.pods.keys();
  const labels = { 'app.kubernetes.io/name': 'wharf-worker', 'app.kubernetes.io/managed-by': 'wharf' };
  const dead = { ...labels, [OWNER_LABEL]: 'dead' };
  const expired = { renewTime: '2026-01-01T00:00:00.000000Z', leaseDurationSeconds: 60 };
  api.pods.set('orphan', { metadata: { name: 'orphan', labels: dead } });
  api.pods.set('leaseless', { metadata: { name: 'leaseless', labels: { ...labels, [OWNER_LABEL]: 'nobody' } } });
  api.pods.set('stranger', { metadata: { name: 'stranger', labels: { app: 'other' } } });
  api.secrets.set('orphan', { metadata: { name: 'orphan', labels: dead } });
  api.leases.set('wharf-dead', { metadata: { name: 'wharf-dead', labels: dead }, spec: expired });
  await openDriver();
  await untilTrue(() => !api.leases.has('wharf-dead') && !api.secrets.has('orphan') && api.pods.size === 2);
  expect([...api.pods.keys()]).toEqual([livingPod, 'stranger']);
});

test('leaves nothing in the cluster when it closes', async () => {
  const driver = await openDriver();
  const heard = [hear(driver.start({ memoryMb: 128 })), hear(driver.start({ memoryMb: 128 }))];
  await untilTrue(() => heard.every(isReady));
  await drivers.pop()?.close();
  expect([api.pods.size, api.secrets.size, api.leases.size]).toEqual([0, 0, 0]);
  expect(driver.name).toBe('pod');
});

test('refuses a caller with a key that is not the one, and one that comes twice', async () => {
  const gate = await PodGate.listen(0, listeningLogger());
  let opened: () => void = () => undefined;
  const key = gate.expect('pod-a', () => opened());
  const call = (psk: Buffer): Promise<string> =>
    new Promise((resolve) => {
      opened = () => resolve('opened');
      const socket = connect({
        port: gate.port,
        host: '127.0.0.1',
        minVersion: 'TLSv1.3',
        ciphers: 'TLS_AES_128_GCM_SHA256',
        pskCallback: () => ({ psk, identity: 'pod-a' }),
        checkServerIdentity: () => undefined,
      });
      socket.on('error', () => undefined);
      socket.on('close', () => resolve('closed'));
    });
  expect([await call(Buffer.alloc(32)), await call(key), await call(key)]).toEqual(['closed', 'opened', 'closed']);
  await gate.close();
});
