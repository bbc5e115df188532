import { randomBytes } from 'node:crypto';
import type { ControlPlane, TestTenant } from './control-plane.fixture.js';
import type { MakeExample } from './example.fixture.js';

const body = { value: 'SECRET-CANARY' };
const newPath = (): string => `/v1/secrets/n-${randomBytes(5).toString('hex')}`;

/** A secret that was written so often. */
async function written(api: ControlPlane, { key }: TestTenant, times: number): Promise<string> {
  const path = newPath();
  for (let done = 0; done < times; done += 1) {
    const { status, text } = await api.send('PUT', path, { key, body });
    if (status !== 200) throw new Error(text);
  }
  return path;
}

const secretAt =
  (end: string, status: number, times = 1): MakeExample =>
  async (api, tenant) => ({ path: `${await written(api, tenant, times)}${end}`, status });

/** Good requests about secrets and their versions. */
export const SECRET_EXAMPLES: Readonly<Record<string, MakeExample>> = {
  'GET /v1/secrets': () => ({ path: '/v1/secrets', status: 200 }),
  'GET /v1/secrets/{name}': secretAt('', 200),
  'PUT /v1/secrets/{name}': () => ({ path: newPath(), status: 200, body }),
  'DELETE /v1/secrets/{name}': secretAt('', 204),
  'GET /v1/secrets/{name}/versions': secretAt('/versions', 200, 2),
  'POST /v1/secrets/{name}/versions/{version}/restore': secretAt('/versions/1/restore', 200, 2),
  'DELETE /v1/secrets/{name}/versions/{version}': secretAt('/versions/1', 204, 2),
};
