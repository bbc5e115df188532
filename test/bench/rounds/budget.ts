import { drive } from '../load/drive.js';
import { ERAS, type Era, type Work } from '../load/work.js';
import { cpuMsByPart, type Part } from '../measure/processes.js';
import type { Launched } from '../platform/launcher.js';
import type { BenchTenant } from '../platform/tenants.js';
import type { Report } from '../report/report.js';

const PARTS: readonly Part[] = ['services', 'runtime', 'worker', 'postgres', 'redis', 'other'];
const WARM_CALLS = 300;
const WORKS: readonly Work[] = ['echo', 'list', 'hello'];

/** Which process a call's CPU goes to; the services are one process here, of which the gateway does the work. */
export async function reportBudget(report: Report, wharf: Launched, tenant: BenchTenant): Promise<void> {
  const rows: Array<Record<string, string | number>> = [];
  for (const work of WORKS) {
    for (const era of ERAS) rows.push({ era, work, ...(await spent(wharf, tenant, era, work)) });
  }
  report.table('The platform’s CPU for 1,000 calls by part, in ms, 32 in flight', rows);
}

async function spent(wharf: Launched, tenant: BenchTenant, era: Era, work: Work): Promise<Record<string, number>> {
  const before = cpuMsByPart(wharf.pid);
  const { calls } = await drive(wharf.pid, {
    url: work === 'list' ? tenant.hundredUrl : tenant.echoUrl,
    bearer: tenant.apiKey,
    era,
    work,
    inFlight: 32,
    warmCalls: WARM_CALLS,
    measureMs: 2_000,
  });
  const after = cpuMsByPart(wharf.pid);
  const thousands = (calls + WARM_CALLS) / 1_000;
  return Object.fromEntries(
    PARTS.map((part) => [part, ((after.get(part) ?? 0) - (before.get(part) ?? 0)) / thousands]),
  );
}
