import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { AnyManifest } from '#libs/protocol';
import { createLogger } from '#libs/telemetry';
import { JobRunner, type RunResult } from '../../jobs/job-runner.js';
import { ProbeRunner } from '../../probes/probe-runner.js';
import { manifestOf, openWorkplace, type TestServer, type Workplace } from '../../workplace.fixture.js';
import { PublishRelease } from '../publish-release.js';
import { scanArtefact } from './scan-artefact.js';

let place: Workplace;
let runner: JobRunner;
/** What the registry answers, and what it was asked. */
let registry: { status: number; body: string | Buffer; coding?: string } = { status: 200, body: '{}' };
const asked: string[] = [];
const server = createServer((request, response) => {
  void request.toArray().then((parts) => {
    asked.push(`${request.method} ${request.url} ${Buffer.concat(parts).toString()}`);
    if (registry.coding !== undefined) response.setHeader('content-encoding', registry.coding);
    response.writeHead(registry.status).end(registry.body);
  });
});
const signal = new AbortController().signal;

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  place = await openWorkplace();
  const { background: database, client: runtime, supplier } = place;
  const announcer = { announce: async (): Promise<void> => {} };
  const probes = new ProbeRunner(database, runtime, supplier);
  const handler = new PublishRelease({ database, runtime, supplier, announcer, probes });
  runner = new JobRunner(database, [handler], createLogger('background', 'silent'));
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await place.close();
});

const registryUrl = (): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}/`; // it listens on TCP

function bundle(packages?: { versions: Record<string, string[]>; installScripts: string[] }): AnyManifest {
  const { version, server: named } = JSON.parse(manifestOf());
  const program = { artefact: `sha256:${'0'.repeat(64)}`, entryPoint: 'i.js', name: 'b', version: '1.0.0' };
  const run = { ...program, era: 'modern' as const, ...(packages === undefined ? {} : { packages }) };
  return { version, server: named, origins: [], credentials: [], kind: 'bundle', bundle: run, tools: [] };
}

const advisory = (severity: string): string =>
  JSON.stringify({
    lodash: [
      { id: 1, url: 'https://advisories.example/1', title: 'Pollution', severity, vulnerable_versions: '<4.17.21' },
    ],
    'not-asked': [{ id: 2, url: 'https://x.example', title: 'T', severity: 'critical', vulnerable_versions: '*' }],
  });
const PACKAGES = { versions: { lodash: ['4.17.15', '4.17.21'], ms: ['2.1.3'] }, installScripts: ['esbuild'] };

test('a package with a known vulnerability of high severity is refused with what to do', async () => {
  registry = { status: 200, body: advisory('high') };
  await expect(scanArtefact(registryUrl(), bundle(PACKAGES), signal)).rejects.toThrow(
    'The bundle holds packages with known vulnerabilities: lodash 4.17.15 (high: Pollution, <4.17.21, ' +
      'https://advisories.example/1). Update them outside the versions named, pack the bundle again and build a new release.',
  );
  expect(asked.at(-1)).toBe(`POST /-/npm/v1/security/advisories/bulk ${JSON.stringify(PACKAGES.versions)}`);
});

test('lesser ones and install scripts are noted', async () => {
  registry = { status: 200, body: advisory('moderate') };
  expect(await scanArtefact(registryUrl(), bundle(PACKAGES), signal)).toEqual([
    'Install scripts that are never run: esbuild.',
    'Known vulnerabilities: lodash 4.17.15 (moderate: Pollution, <4.17.21, https://advisories.example/1).',
  ]);
});

test('a registry that is not set, fails or answers nonsense is noted and stops nothing', async () => {
  const plain = { ...PACKAGES, installScripts: [] };
  expect(await scanArtefact(undefined, bundle(plain), signal)).toEqual([
    'No registry is set to ask for known vulnerabilities.',
  ]);
  for (const answer of [
    { status: 500, body: '{}' },
    { status: 200, body: '<html>' },
    { status: 200, body: '[1]' },
    { status: 200, body: gzipSync('{}'), coding: 'gzip' },
    { status: 200, body: brotliCompressSync('{}'), coding: 'br' },
  ]) {
    registry = answer;
    expect(await scanArtefact(registryUrl(), bundle(plain), signal)).toEqual([
      'The registry could not be asked for known vulnerabilities; publish again to try.',
    ]);
  }
  expect(await scanArtefact(registryUrl(), bundle(), signal)).toEqual([
    'The bundle has no package-lock.json, so its packages are not known.',
  ]);
});

const publish = async (of: TestServer, release: string, options: object): Promise<RunResult> =>
  runner.run({ tenantId: of.tenantId, id: await place.request(of, release, options) }, 'more-left');
const rowsOf = (of: TestServer, sql: string): Promise<unknown[]> =>
  place.background.asTenant(of.tenantId, (tx) => tx.query(sql));

test('a breaking release is rejected where another went live since somebody asked, unless it is acknowledged', async () => {
  const of = await place.newServer();
  await publish(of, await place.newRelease(of, manifestOf('one', 'two')), {});
  const breaking = await place.newRelease(of, manifestOf('one'));
  expect(await publish(of, breaking, {})).toMatchObject({
    outcome: 'given-up',
    reason: expect.stringContaining('removed: two). Publish with "acknowledge_breaking": true'),
  });
  expect(await publish(of, breaking, { acknowledgeBreaking: true })).toEqual({ outcome: 'done' });
});

test('a new major version goes live beside the old one, which is kept until its date', async () => {
  const of = await place.newServer();
  await publish(of, await place.newRelease(of, manifestOf('one'), '1.9.2'), {});
  const until = new Date(Date.now() + 86_400_000).toISOString();
  const next = await place.newRelease(of, manifestOf('two'), '2.0.0');
  expect(await publish(of, next, { previousMajorUntil: until })).toEqual({ outcome: 'done' });
  expect(
    await rowsOf(
      of,
      `select m.major, r.version, m.served_until as until from server_majors m join releases r on r.id = m.release_id`,
    ),
  ).toEqual([{ major: 1, version: '1.9.2', until: new Date(until) }]);
  const minor = await place.newRelease(of, manifestOf('two', 'three'), '2.1.0');
  expect(await publish(of, minor, {})).toEqual({ outcome: 'done' });
  expect(await rowsOf(of, `select major from server_majors`)).toEqual([{ major: 1 }]);
});
