import path from 'node:path';
import { startTestServers, startWharf } from '#libs/testing';
import { migrate } from '#migrations';
import { runAuthorization } from './authorization.js';
import { startBearerProxy } from './bearer-proxy.js';
import { ERAS, publishFixture } from './fixture.js';
import { Report } from './report.js';
import { runClients } from './client-runs.js';
import { scenariosOf, SERVER_RUNS, SINGLE_SCENARIOS, singleOf } from './runs.js';
import { runSuite } from './suite.js';
import { warm } from './warm.js';

/**
 * `npm run conformance`: the official suite against a running platform, behind real bearer auth, at a server that is
 * published as any tenant's is. With a name (`npm run conformance -- 2026-07-28`) only the runs that begin with it, and
 * of those of clients only scenarios that begin with a second (`npm run conformance -- client auth/iss`).
 */
const [only = '', scenario] = process.argv.slice(2);

await using stack = new AsyncDisposableStack();
const servers = await startTestServers(path.resolve('.cache'), migrate);
stack.defer(() => servers.stop());
Object.assign(process.env, servers.environment);
const wharf = await startWharf();
stack.defer(() => wharf.stop());
const fixture = await publishFixture(wharf, 'client'.startsWith(only) && only !== '' ? [] : ERAS);
const proxy = await startBearerProxy(new URL(wharf.url), fixture.owner.apiKey);
stack.defer(() => proxy.close());

const report = new Report();
for (const { name, eras, args, scored, required } of SERVER_RUNS) {
  if (!name.startsWith(only)) continue;
  const url = `${proxy.url}${fixture.pathOf(eras)}`;
  await warm(url);
  const run = await runSuite(['server', '--url', url, ...args]);
  const results = scenariosOf(run);
  report.add(name, results, scored);
  if (required !== undefined) report.require(`${name}, tasks`, results, required);
}
if ('skills'.startsWith(only)) {
  const url = `${proxy.url}${fixture.pathOf('both')}`;
  const results = [];
  for (const scenario of SINGLE_SCENARIOS)
    results.push(singleOf(scenario, await runSuite(['server', '--url', url, '--scenario', scenario])));
  report.add('skills', results, results.length);
}
if ('client'.startsWith(only)) await runClients(report, wharf, fixture, scenario);
if ('authorization'.startsWith(only)) {
  const run = await runAuthorization(`${wharf.url}/auth`, fixture);
  report.add('authorization (a scripted person signs in)', [singleOf('authorization', run)], 1);
}
if (!report.end()) process.exitCode = 1;
