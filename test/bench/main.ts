import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { freePort } from '#libs/embedded';
import { BenchClient, percentile } from './calls.js';
import { launch, type Launched } from './launcher.js';
import { memoryOf } from './memory.js';
import { importGitHub, publishTenants, startQuickUpstream, type BenchTenant } from './tenants.js';

/** `npm run bench`: measures what the README promises, on this machine, and prints it beside the promise. */

const COLD_TENANTS = 5;
const WARM_CALLS = 3_000;
const IN_FLIGHT = 32;
const LOAD_MS = 10_000;
const IDLE_MS = 5_000;
const GITHUB = path.resolve('node_modules/@octokit/openapi/generated/api.github.com.json');

function print(what: string, measured: string, promised: string): void {
  process.stdout.write(`${what.padEnd(44)} ${measured.padEnd(34)} ${promised}\n`);
}

const ms = (value: number): string => `${value.toFixed(value < 10 ? 2 : 0)} ms`;
const seconds = (value: number): string => `${(value / 1_000).toFixed(1)} s`;

async function measureCold(tenants: readonly BenchTenant[]): Promise<void> {
  const figures: number[] = [];
  for (const tenant of tenants) {
    const client = new BenchClient(tenant.url, tenant.apiKey, 1);
    figures.push(await client.call('quick'));
    client.close();
  }
  print(
    'first tools/call of a cold tenant',
    `${ms(percentile(figures, 0.5))} p50, ${ms(Math.max(...figures))} max`,
    '≤ 400 ms',
  );
}

async function measureWarm(tenant: BenchTenant): Promise<void> {
  const client = new BenchClient(tenant.url, tenant.apiKey, 1);
  for (let call = 0; call < 500; call += 1) await client.call('quick');
  const figures: number[] = [];
  for (let call = 0; call < WARM_CALLS; call += 1) figures.push(await client.call('quick'));
  client.close();
  print(
    'warm tools/call, one in flight',
    `${ms(percentile(figures, 0.5))} p50, ${ms(percentile(figures, 0.99))} p99`,
    'p50 ≤ 5 ms',
  );
}

async function measureLoad(tenant: BenchTenant): Promise<void> {
  const client = new BenchClient(tenant.url, tenant.apiKey, IN_FLIGHT);
  const figures: number[] = [];
  const until = performance.now() + LOAD_MS;
  const lane = async (): Promise<void> => {
    while (performance.now() < until) figures.push(await client.call('quick'));
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
  client.close();
  const rate = figures.length / (LOAD_MS / 1_000);
  print(`tools/call, ${IN_FLIGHT} in flight`, `${rate.toFixed(0)}/s, ${ms(percentile(figures, 0.99))} p99`, '');
}

async function measureIdle(wharf: Launched): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
  const memory = memoryOf(wharf.pid);
  const total = [...memory.values()].reduce((sum, mb) => sum + mb, 0);
  const parts = [...memory].map(([name, mb]) => `${name} ${mb.toFixed(0)}`).join(', ');
  print('memory of everything, idle (PSS)', `${total.toFixed(0)} MB`, `≤ 1,024 MB   (${parts})`);
}

const dataDir = mkdtempSync(path.join(tmpdir(), 'wharf-bench-'));
const [port, upstream] = await Promise.all([freePort(), startQuickUpstream()]);
try {
  const first = await launch(dataDir, port);
  print('npm start to ready, first time', seconds(first.readyMs), '≤ 20 s');
  const tenants = await publishTenants(first, upstream.port, COLD_TENANTS);
  const imported = await importGitHub(first, readFileSync(GITHUB));
  print(
    'import of GitHub’s OpenAPI document',
    `${seconds(imported.ms)}, ${imported.tools} tools`,
    `≤ 10 s       (${imported.skipped} skipped)`,
  );
  await first.stop();
  const second = await launch(dataDir, port);
  print('npm start to ready, after', seconds(second.readyMs), '≤ 10 s');
  await measureIdle(second);
  await measureCold(tenants);
  const [tenant] = tenants;
  if (tenant !== undefined) {
    await measureWarm(tenant);
    await measureLoad(tenant);
  }
  await second.stop();
} finally {
  upstream.close();
  rmSync(dataDir, { recursive: true, force: true });
}
