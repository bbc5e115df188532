import path from 'node:path';
import { startTestServers, startWharf } from '#libs/testing';
import { migrate } from '#migrations';
import { runAuthorization } from './authorization.js';
import { startBearerProxy } from './bearer-proxy.js';
import { publishFixture } from './fixture.js';
import { Report } from './report.js';
import { CLIENT_RUNS, scenariosOf, SERVER_RUNS, SINGLE_SCENARIOS, singleOf } from './runs.js';
import { runSuite } from './suite.js';
import { warm } from './warm.js';

/**
 * `npm run conformance`: the official suite against a running platform, behind real bearer auth, at a server that is
 * published as any tenant's is. With a name (`npm run conformance -- 2026-07-28`) only the runs that begin with it.
 */
const [only = ''] = process.argv.slice(2);
/** Our client of upstream servers, as the suite starts it. */
const CLIENT = `${process.execPath} ${path.resolve('dist/apps/worker-runtime/src/runner/upstream/suite-client.fixture.js')}`;

await using stack = new AsyncDisposableStack();
const servers = await startTestServers(path.resolve('.cache'), migrate);
stack.defer(() => servers.stop());
Object.assign(process.env, servers.environment);
const wharf = await startWharf();
stack.defer(() => wharf.stop());
const fixture = await publishFixture(wharf);
const proxy = await startBearerProxy(new URL(wharf.url), fixture.apiKey);
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
for (const { revision, scenarios, ...coverage } of CLIENT_RUNS) {
  if (!'client'.startsWith(only)) break;
  const results = [];
  for (const scenario of scenarios) {
    const args = ['client', '--command', CLIENT, '--scenario', scenario, '--spec-version', revision];
    results.push(singleOf(scenario, await runSuite(args)));
  }
  const name = `our client of upstream servers, ${revision}`;
  report.add(name, results, scenarios.length);
  report.coverage(name, results, coverage);
}
if ('authorization'.startsWith(only)) {
  const run = await runAuthorization(`${wharf.url}/auth`, fixture);
  report.add('authorization (a scripted person signs in)', [singleOf('authorization', run)], 1);
}
if (!report.end()) process.exitCode = 1;
