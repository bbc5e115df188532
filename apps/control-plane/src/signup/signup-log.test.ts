import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { logToFile } from '#libs/telemetry';
import { until } from '#libs/testing';
import { startControlPlane, type ControlPlane } from '../testing/control-plane.fixture.js';

const folder = mkdtempSync(path.join(tmpdir(), 'wharf-signup-'));
const file = path.join(folder, 'log');
let api: ControlPlane;

beforeAll(async () => {
  logToFile(file);
  api = await startControlPlane({ environment: { WHARF_LOG_LEVEL: 'info' } });
});

afterAll(async () => {
  await api.stop();
  rmSync(folder, { recursive: true });
});

/** What the log says once a request's own line, the last of it, is in the file. */
async function linesOf(route: string, status: number): Promise<Array<Record<string, unknown>>> {
  return until(() => {
    const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
    const parsed = lines.map((line): Record<string, unknown> => JSON.parse(line));
    return parsed.some((line) => line['route'] === route && line['status'] === status) && parsed;
  }, `the line of ${route}`);
}

test('a wrong password for an account leaves a line with the account’s id, and nothing of the address or password', async () => {
  const tenant = await api.newTenant();
  const email = `${tenant.slug}@example.com`;
  const body = { tenant_name: 'T', slug: 'another', email, password: 'PASSWORD-CANARY-1' };
  expect((await api.send('POST', '/v1/signup', { body })).status).toBe(409);
  const lines = await linesOf('/v1/signup', 409);
  const [line, ...others] = lines.filter(({ msg }) => String(msg).includes('wrong password'));
  expect(others).toEqual([]);
  expect(line).toMatchObject({ level: 'warn', account_id: tenant.ownerId, trace_id: expect.any(String) });
  const request = lines.find(({ status }) => status === 409);
  expect(line?.['trace_id']).toBe(request?.['trace_id']);
  expect(JSON.stringify(lines)).not.toMatch(new RegExp(`${email}|PASSWORD-CANARY`));
});
