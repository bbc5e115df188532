import path from 'node:path';
import { startTestServers, startWharf } from '#libs/testing';
import { migrate } from '#migrations';
import { runAuthorization } from './authorization.js';
import { startBearerProxy } from './bearer-proxy.js';
import { publishFixture } from './fixture.js';
import { runSuite, type SuiteRun } from './suite.js';

/**
 * `npm run conformance`: the official suite against a running platform, by revision. Scenarios that need the suite's
 * own tools, resources or prompts are not in these lists: such servers cannot be published yet.
 */
const SCENARIOS = {
  '2025-11-25': [
    'server-initialize',
    'server-session-lifecycle',
    'server-sse-multiple-streams',
    'ping',
    'tools-list',
    'dns-rebinding-protection',
  ],
  '2026-07-28': [
    'server-sse-multiple-streams',
    'tools-list',
    'dns-rebinding-protection',
    'http-header-validation',
    'http-custom-header-server-validation',
  ],
} as const;

await using stack = new AsyncDisposableStack();
const servers = await startTestServers(path.resolve('.cache'), migrate);
stack.defer(() => servers.stop());
Object.assign(process.env, servers.environment);
const wharf = await startWharf();
stack.defer(() => wharf.stop());
const fixture = await publishFixture(wharf);
stack.defer(() => fixture.upstream.stop());
const proxy = await startBearerProxy(new URL(wharf.url), fixture.apiKey);
stack.defer(() => proxy.close());

let passed = 0;
let failed = 0;

/** Passed only where the program says so and names at least one check: a skipped scenario is no success. */
function count(name: string, run: SuiteRun): void {
  const checks = /(?:Passed: (\d+)\/\1, 0 failed, 0 warnings|Total: (\d+) passed, 0 failed)/.exec(run.output);
  const number = Number(checks?.[1] ?? checks?.[2] ?? 0);
  const ok = run.code === 0 && number > 0;
  process.stdout.write(ok ? `✓ ${name} (${number} checks)\n` : `✗ ${name}\n${run.output.slice(-4_000)}\n`);
  if (ok) passed += 1;
  else failed += 1;
}

const serverUrl = new URL(new URL(fixture.serverUrl).pathname, proxy.url).href;
for (const [revision, scenarios] of Object.entries(SCENARIOS)) {
  for (const scenario of scenarios) {
    const args = ['server', '--url', serverUrl, '--scenario', scenario, '--spec-version', revision];
    count(`${revision} ${scenario}`, await runSuite(args));
  }
}
count('authorization (login and consent by a scripted person)', await runAuthorization(`${wharf.url}/auth`, fixture));
process.stdout.write(`${passed} passed, ${failed} failed\n`);
if (failed > 0) process.exitCode = 1;
