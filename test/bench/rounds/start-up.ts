import { readFileSync } from 'node:fs';
import path from 'node:path';
import { memoryKbByPart } from '../measure/processes.js';
import { launch, type Launched } from '../platform/launcher.js';
import { definePlan, importGitHub, publishTenant, type BenchTenant } from '../platform/tenants.js';
import { seconds, type Report } from '../report/report.js';

const GITHUB = path.resolve('node_modules/@octokit/openapi/generated/api.github.com.json');
const IDLE_MS = 5_000;

/** A platform that was started a second time, with tenants that nobody has called yet. */
export interface Started {
  readonly wharf: Launched;
  readonly tenants: readonly BenchTenant[];
}

/** Starts the platform as `npm start` does, publishes tenants, starts it again. */
export async function measureStartUp(
  report: Report,
  { dataDir, port, upstreamPort, tenants: count }: StartUpOptions,
): Promise<Started> {
  const first = await launch(dataDir, port);
  report.figure('npm start to ready, first time', seconds(first.readyMs), '≤ 20 s');
  await definePlan(first);
  const tenants: BenchTenant[] = [];
  for (let number = 0; number < count; number += 1) {
    const kind = number === 0 ? 'echo and hundred' : 'echo';
    tenants.push(await publishTenant(first, upstreamPort, `bench-${number}`, kind));
  }
  const imported = await importGitHub(first, readFileSync(GITHUB));
  const found = `${seconds(imported.ms)}, ${imported.tools} tools, ${imported.skipped} skipped`;
  report.figure('import of GitHub’s OpenAPI document', found, '≤ 10 s');
  await first.stop();
  const wharf = await launch(dataDir, port);
  report.figure('npm start to ready, after', seconds(wharf.readyMs), '≤ 10 s');
  await reportIdleMemory(report, wharf);
  return { wharf, tenants };
}

/** Where the platform lives and how many tenants it gets. */
export interface StartUpOptions {
  readonly dataDir: string;
  readonly port: number;
  readonly upstreamPort: number;
  readonly tenants: number;
}

async function reportIdleMemory(report: Report, wharf: Launched): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
  const memory = [...memoryKbByPart(wharf.pid)].map(([part, kb]) => [part, kb / 1_024] as const);
  const total = memory.reduce((sum, [, mb]) => sum + mb, 0);
  const parts = memory.map(([part, mb]) => `${part} ${mb.toFixed(0)}`).join(', ');
  report.figure('memory of everything, idle (PSS)', `${total.toFixed(0)} MB (${parts})`, '≤ 1,024 MB');
}
