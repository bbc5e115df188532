import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { until } from '#libs/testing';
import { textOf, ThirdPartyStage } from '../../../test/journeys/third-party-stage.fixture.js';
import { ApiServerUnderTest } from './isolation/pod/api-server.fixture.js';

const folder = mkdtempSync(path.join(tmpdir(), 'wharf-pods-'));
let api: ApiServerUnderTest;
let stage: ThirdPartyStage;

beforeAll(async () => {
  api = await ApiServerUnderTest.start();
  const KUBECONFIG = path.join(folder, 'kubeconfig');
  writeFileSync(KUBECONFIG, api.kubeconfig());
  stage = await ThirdPartyStage.open({
    environment: {
      KUBECONFIG,
      WHARF_WORKER_DRIVER: 'pod',
      WHARF_POD_IMAGE: 'registry.example/wharf:test',
      WHARF_POD_RUNTIME_CLASS: 'gvisor',
      WHARF_POD_DIAL_HOST: '127.0.0.1',
      WHARF_POD_DIAL_PORT: '0',
    },
  });
});
afterAll(async () => {
  await stage?.close();
  await api.stop();
  rmSync(folder, { recursive: true });
});

describe('code of others in a pod', () => {
  test.each(['fetch', 'node', 'undici', 'undici fetch'])('reaches the origins of its release with %s', async (way) => {
    expect(await stage.call('reach', { way, url: `${stage.named}/pod` })).toBe('200 upstream /pod');
  });

  test.each(['fetch', 'node', 'undici'])('is led to no other by %s', async (way) => {
    expect(await stage.call('reach', { way, url: `http://127.0.0.1:${stage.unnamedPort}/` })).toMatch(/^(403|failed)/);
    expect(stage.reached).not.toContain('unnamed');
  });

  test('has its settings and secrets, and no secret comes back', async () => {
    expect(await stage.call('config')).toMatchObject({ token: '[redacted]', REGION: 'region-eu', arguments: 'gone' });
  });

  test('leaves nothing behind in its pod', async () => {
    await stage.withAgent('default', async ({ client }) => {
      const daemons = async (): Promise<number> =>
        Number(textOf(await client.callTool({ name: 'daemons', arguments: {} })));
      await client.callTool({ name: 'daemon', arguments: {} });
      await until(async () => (await daemons()) === 0, 'the end of what was left');
    });
  });
});

test('an upstream that keeps failing is left alone, and its owner sees it', async () => {
  let said = '';
  await stage.withAgent('default', async ({ client }) => {
    const given = { way: 'node', url: `${stage.named}/500` };
    for (let asks = 0; asks < 40 && !said.startsWith('"503'); asks += 1)
      said = textOf(await client.callTool({ name: 'reach', arguments: given }));
  });
  expect(said).toMatch(/^"503 .*left alone for a while/);
  const { upstreams } = (await stage.get('/v1/servers/all/upstreams')) as { upstreams: unknown };
  expect(upstreams).toMatchObject([{ origin: stage.named, state: 'open' }]);
});
