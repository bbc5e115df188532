import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { manifestSchema, RuntimeClient, sha256Digest, type ReleaseSource } from '#libs/protocol';
import { INTAKE_KEY, startRuntime, supplierOf, untilTrue, type RuntimeUnderTest } from './worker-runtime.fixture.js';

const GITHUB = createRequire(import.meta.url).resolve('@octokit/openapi/generated/api.github.com.json');

describe('building releases', () => {
  let runtime: RuntimeUnderTest;
  let client: RuntimeClient;

  beforeAll(async () => {
    runtime = await startRuntime({ WHARF_WARM_WORKERS: '0' });
    client = await RuntimeClient.connect({ sockets: [runtime.socket], intakeKey: INTAKE_KEY, supplier: supplierOf() });
  });
  afterAll(async () => {
    await client.close();
    await runtime.stop();
  });

  const build = (
    source: ReleaseSource | object,
    extra: { readonly artefact?: Buffer; readonly deadlineMs?: number; readonly tenantId?: string } = {},
  ) =>
    client.build({
      tenantId: extra.tenantId ?? randomUUID(),
      serverSlug: 'weather',
      source: Buffer.from(JSON.stringify(source)),
      deadlineMs: extra.deadlineMs ?? Date.now() + 30_000,
      ...(extra.artefact === undefined ? {} : { artefact: extra.artefact }),
    });

  it('builds a release in a worker of its own and gives back what its digest names', async () => {
    const built = await build({
      kind: 'http',
      tools: [
        { name: 'get_weather', description: 'The weather.', method: 'GET', url: 'https://api.example.com/weather' },
      ],
    });
    expect(sha256Digest(built.manifest)).toBe(built.digest);
    expect(manifestSchema.parse(JSON.parse(built.manifest.toString()))).toMatchObject({
      kind: 'http',
      origins: ['https://api.example.com'],
    });
    expect(built.report).toMatchObject({ tools: 1, skipped: [] });
    await untilTrue(() => runtime.workers().length === 0);
  });

  it('says what to correct in a source that cannot be used', async () => {
    await expect(
      build({
        kind: 'http',
        tools: [{ name: 'bad name', description: 'x', method: 'GET', url: 'https://api.example.com/' }],
      }),
    ).rejects.toMatchObject({
      code: 'unprocessable',
      problems: [expect.objectContaining({ pointer: '/tools/0/name' })],
    });
  });

  it('imports the OpenAPI document of GitHub from an artefact', async () => {
    const artefact = readFileSync(GITHUB);
    const source = { kind: 'openapi', artefact: sha256Digest(artefact), select: { tags: ['issues'] } };
    const built = await build(source, { artefact });
    expect(built.report.tools).toBeGreaterThan(20);
  });

  it('ends a build at its deadline, and its worker with it', async () => {
    const artefact = readFileSync(GITHUB);
    const late = build(
      { kind: 'openapi', artefact: sha256Digest(artefact) },
      { artefact, deadlineMs: Date.now() + 50 },
    );
    await expect(late).rejects.toMatchObject({ code: 'deadline_exceeded' });
  });

  it('bounds how many builds of a tenant run at the same time', async () => {
    const tenantId = randomUUID();
    const source = {
      kind: 'http',
      tools: [{ name: 'one', description: 'One.', method: 'GET', url: 'https://api.example.com/' }],
    };
    const results = await Promise.allSettled([1, 2, 3].map(() => build(source, { tenantId })));
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected']);
    expect(results[2]).toMatchObject({ reason: { code: 'unavailable', retryAfterSeconds: 5 } });
  });

  it('ends the builds of an evicted tenant', async () => {
    const tenantId = randomUUID();
    const building = build({ kind: 'openapi', document: readFileSync(GITHUB, 'utf8') }, { tenantId });
    const failed = expect(building).rejects.toMatchObject({ code: 'tenant_suspended' });
    await client.evict(tenantId, 'suspended');
    await failed;
  });
});
