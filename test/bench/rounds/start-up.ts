import { readFileSync } from 'node:fs';
import path from 'node:path';
import { cpuMsByPart, memoryKbByPart } from '../measure/processes.js';
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
  await reportIdle(report, wharf);
  return { wharf, tenants };
}

/** Where the platform lives and how many tenants it gets. */
export interface StartUpOptions {
  readonly dataDir: string;
  readonly port: number;
  readonly upstreamPort: number;
  readonly tenants: number;
}

async function reportIdle(report: Report, wharf: Launched): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
  const before = cpuMsByPart(wharf.pid);
  await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
  const spent = [...cpuMsByPart(wharf.pid)].map(
    ([part, cpuMs]) => [part, (cpuMs - (before.get(part) ?? 0)) / (IDLE_MS / 1_000)] as const,
  );
  report.figure('CPU of everything, idle', `${total(spent).toFixed(0)} ms a second (${inParts(spent)})`);
  const memory = [...memoryKbByPart(wharf.pid)].map(([part, kb]) => [part, kb / 1_024] as const);
  report.figure(
    'memory of everything, idle (PSS)',
    `${total(memory).toFixed(0)} MB (${inParts(memory)})`,
    '≤ 1,024 MB',
  );
}

type ByPart = ReadonlyArray<readonly [string, number]>;

const total = (parts: ByPart): number => parts.reduce((sum, [, value]) => sum + value, 0);
const inParts = (parts: ByPart): string => parts.map(([part, value]) => `${part} ${value.toFixed(0)}`).join(', ');
