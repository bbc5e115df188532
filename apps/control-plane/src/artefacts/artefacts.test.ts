import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startControlPlane, type ControlPlane, type TestTenant } from '../testing/control-plane.fixture.js';

let api: ControlPlane;
let tenant: TestTenant;

beforeAll(async () => {
  api = await startControlPlane();
  tenant = await api.newTenant();
});

afterAll(() => api.stop());

const upload = (body: string | Uint8Array, type = 'application/octet-stream') =>
  api.send('POST', '/v1/artefacts', { key: tenant.key, headers: { 'content-type': type }, body });

test('bytes are stored under their SHA-256, as often as they are sent', async () => {
  const content = randomBytes(3_000_000);
  const digest = `sha256:${createHash('sha256').update(content).digest('hex')}`;
  for (let times = 0; times < 2; times += 1) {
    expect(await upload(content)).toMatchObject({
      status: 201,
      body: { digest, bytes: 3_000_000, media_type: 'application/octet-stream' },
    });
  }
});

test('more than 32 MiB is 413, and another content type 415', async () => {
  expect((await upload(Buffer.alloc(32 * 1024 * 1024 + 1))).status).toBe(413);
  expect((await upload('<x/>', 'text/html')).status).toBe(415);
});
