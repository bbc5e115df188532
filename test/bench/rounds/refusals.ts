import { setTimeout as pause } from 'node:timers/promises';
import { amid, CALL } from '../load/noise.js';
import { familyCpuMs } from '../measure/processes.js';
import type { Launched } from '../platform/launcher.js';
import { planOf, type BenchTenant } from '../platform/tenants.js';
import type { Report } from '../report/report.js';

const FLOOD = 64;
const FLOOD_MS = 4_000;
const SETTLE_MS = 1_000;

/** CPU of all processes for 1,000 calls of a flood, beyond what they use without calls, by how most of them ended. */
export async function measureRefusals(report: Report, wharf: Launched, tenant: BenchTenant): Promise<void> {
  const rows: Array<Record<string, string | number>> = [];
  await pause(SETTLE_MS);
  const restingMs = familyCpuMs(wharf.pid);
  await pause(FLOOD_MS + SETTLE_MS);
  const idleMs = familyCpuMs(wharf.pid) - restingMs;
  const flood = async (what: string, bearer = tenant.apiKey): Promise<void> => {
    await pause(SETTLE_MS);
    const before = familyCpuMs(wharf.pid);
    const noise = { url: tenant.echoUrl, bearer, atOnce: FLOOD, request: CALL };
    const ended = await amid(noise, () => pause(FLOOD_MS));
    await pause(SETTLE_MS);
    const calls = Object.values(ended).reduce((sum, count) => sum + count, 0);
    const how = Object.entries(ended).map(([name, count]) => `${count} × ${name}`);
    const spentMs = familyCpuMs(wharf.pid) - before - idleMs;
    rows.push({ what, ended: how.join(', '), 'CPU ms/1000': (spentMs / calls) * 1_000 });
  };
  await planOf(wharf, 'unbound', 10_000_000, tenant.slug);
  await flood('warming up');
  rows.length = 0;
  await flood('without a bound');
  await planOf(wharf, 'one', 1, tenant.slug);
  await flood('above its plan');
  await flood('with a wrong key', `${tenant.apiKey.slice(0, -1)}${tenant.apiKey.endsWith('A') ? 'B' : 'A'}`);
  report.table(`CPU of a flood of ${FLOOD} at once, by how it ended`, rows);
}
