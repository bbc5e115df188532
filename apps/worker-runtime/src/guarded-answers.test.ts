import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { RuntimeClient, type ResultGuard } from '#libs/protocol';
import { startNpmRegistry, type NpmRegistry } from '#libs/testing';
import { REACHER_PACKAGE } from './npm-packages.fixture.js';
import { legacyUpstream, modernUpstream } from './remote-new-upstreams.fixture.js';
import { RemoteStage } from './remote-stage.fixture.js';
import type { RemoteUpstream } from './remote-upstreams.fixture.js';
import {
  callOf,
  manifestOf,
  INTAKE_KEY,
  startRuntime,
  supplierOf,
  TenantUnderTest,
  toolCall,
  type RuntimeUnderTest,
} from './worker-runtime.fixture.js';

const LEAK = 'ada@example.com';
const guardOf = (action: 'redact' | 'refuse'): ResultGuard => ({
  max_bytes: null,
  personal_data: { kinds: ['email'], action },
});

describe.each([
  ['2026', () => modernUpstream('far')],
  ['2025', () => legacyUpstream('far')],
])('what an upstream server of the %s era answers', (_, make) => {
  let stage: RemoteStage;
  let upstream: RemoteUpstream;
  beforeAll(async () => {
    [stage, upstream] = await Promise.all([RemoteStage.open(), make().start()]);
  });
  afterAll(() => Promise.all([stage?.close(), upstream?.stop()]));

  test('is held to the guard of its server, for clients of both eras', async () => {
    const route = await stage.publish(stage.tenant([upstream.port]), [{ name: 'far', url: upstream.url }]);
    const session = await route.session();
    const call = { name: 'hello', arguments: { who: LEAK } };
    for (const ask of [route.modern.bind(route), session.ask.bind(session)]) {
      const open = await ask('tools/call', call);
      expect(open.message).toContain(LEAK);
      const redacted = await ask('tools/call', call, { guard: guardOf('redact') });
      expect([redacted.rpc.result.content[0]?.text, redacted.message.includes(LEAK)]).toEqual([
        'Hello [email] from far',
        false,
      ]);
      const refused = await ask('tools/call', call, { guard: guardOf('refuse') });
      expect([refused.rpc.result.isError, refused.message.includes(LEAK)]).toEqual([true, false]);
    }
  });
});

describe('what a package of npm answers', () => {
  let registry: NpmRegistry;
  let runtime: RuntimeUnderTest;
  let client: RuntimeClient;
  const packaged = new TenantUnderTest(manifestOf({}));
  beforeAll(async () => {
    registry = await startNpmRegistry([REACHER_PACKAGE]);
    runtime = await startRuntime({ WHARF_WARM_WORKERS: '0', WHARF_REGISTRY_URL: registry.url });
    const supplier = supplierOf(packaged);
    client = await RuntimeClient.connect({ sockets: [runtime.socket], intakeKey: INTAKE_KEY, supplier });
  });
  afterAll(async () => {
    await client?.close();
    await runtime?.stop();
    await registry?.stop();
  });

  test('is held to the guard of its server', async () => {
    const source = { kind: 'npm', package: 'reacher', origins: [] };
    packaged.take(
      await client.build({
        tenantId: packaged.tenantId,
        serverSlug: 'test',
        source: Buffer.from(JSON.stringify(source)),
        deadlineMs: Date.now() + 50_000,
        thirdParty: 'npm',
      }),
    );
    const call = (extra: { guard?: ResultGuard }) =>
      callOf(client, packaged.envelope(extra), toolCall('reach', { url: `no URL of ${LEAK}` }));
    expect((await call({})).message).toContain(LEAK);
    const redacted = (await call({ guard: guardOf('redact') })).message;
    expect(redacted).toContain('[email]');
    expect(redacted).not.toContain(LEAK);
    const refused = (await call({ guard: guardOf('refuse') })).message;
    expect(refused).toContain('withheld');
    expect(refused).not.toContain(LEAK);
  });
});
