import { drive } from '../load/drive.js';
import { median } from '../measure/statistics.js';
import type { Launched } from '../platform/launcher.js';
import { fillTables } from '../platform/many-tenants.js';
import type { BenchTenant } from '../platform/tenants.js';
import { ms, type Report } from '../report/report.js';

const TENANTS = 10_000;
const ROUNDS = 5;

/** How a call fares with few tenants in the tables and with many. */
export async function measureManyTenants(report: Report, wharf: Launched, tenant: BenchTenant): Promise<void> {
  const few = await p50(wharf, tenant);
  await fillTables(wharf, tenant.slug, TENANTS);
  const many = await p50(wharf, tenant);
  const found = `${ms(many)} p50, ${(many / few).toFixed(2)} × of ${ms(few)} before`;
  report.figure(`tools/call with ${TENANTS} tenants in the tables`, found, 'p50 within 10 %');
}

async function p50(wharf: Launched, { echoUrl, apiKey }: BenchTenant): Promise<number> {
  const found: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const job = { url: echoUrl, bearer: apiKey, era: '2026', work: 'echo', inFlight: 1 } as const;
    found.push((await drive(wharf.pid, { ...job, warmCalls: 300, measureMs: 1_000 })).p50);
  }
  return median(found);
}
