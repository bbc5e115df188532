import path from 'node:path';
import type { Wharf } from '#libs/testing';
import type { Fixture } from './fixture.js';
import { Owner } from './logins/owner.js';
import { stagePlace } from './logins/stage.js';
import type { Report } from './report.js';
import { singleOf, type ScenarioResult } from './runs.js';
import { runSuite } from './suite.js';

/** What the suite asks of a client in a revision, by who answers it. */
interface ClientRun {
  readonly revision: string;
  /** How many scenarios the revision requires of a client. */
  readonly all: number;
  /** Asked of our client of upstream servers alone. */
  readonly plain: readonly string[];
  /** Asked of the whole platform, where a person logs in at the scenario's server. */
  readonly logins: readonly string[];
}

const SINCE_2025 = [
  'auth/metadata-default',
  'auth/metadata-var1',
  'auth/metadata-var2',
  'auth/metadata-var3',
  'auth/basic-cimd',
  'auth/scope-from-www-authenticate',
  'auth/scope-from-scopes-supported',
  'auth/scope-omitted-when-undefined',
  'auth/scope-step-up',
  'auth/scope-retry-limit',
  'auth/token-endpoint-auth-basic',
  'auth/token-endpoint-auth-post',
  'auth/token-endpoint-auth-none',
  'auth/pre-registration',
] as const;

const SINCE_2026 = [
  'auth/resource-mismatch',
  'auth/offline-access-scope',
  'auth/offline-access-not-supported',
  'auth/authorization-server-migration',
  'auth/iss-supported',
  'auth/iss-not-advertised',
  'auth/iss-supported-missing',
  'auth/iss-wrong-issuer',
  'auth/iss-unexpected',
  'auth/iss-normalized',
  'auth/metadata-issuer-mismatch',
] as const;

/** All that a revision requires of a client. */
const CLIENT_RUNS: readonly ClientRun[] = [
  {
    revision: '2025-11-25',
    all: 18,
    plain: ['initialize', 'tools_call', 'elicitation-sep1034-client-defaults', 'sse-retry'],
    logins: SINCE_2025,
  },
  {
    revision: '2026-07-28',
    all: 32,
    plain: [
      'tools_call',
      'request-metadata',
      'sep-2322-client-request-state',
      'http-standard-headers',
      'http-custom-headers',
      'http-invalid-tool-headers',
      'json-schema-ref-no-deref',
    ],
    logins: [...SINCE_2025, ...SINCE_2026],
  },
];

const compiled = (program: string): string => `${process.execPath} ${path.resolve('dist', program)}`;
/** Our client of upstream servers by itself. */
const CLIENT = compiled('apps/worker-runtime/src/runner/upstream/suite-client.fixture.js');
/** The platform, driven as its owner would. */
const PLATFORM = compiled('test/conformance/logins/suite-client.fixture.js');

/** Of an extension, which no revision counts. */
const CREDENTIALS = ['auth/client-credentials-basic', 'auth/client-credentials-jwt'] as const;

/** A scenario on a busy machine, with its sign-in, its release and its call. */
const TIMEOUT_MS = '120000';

/** Runs the suite's client scenarios; with `only`, those whose names begin with it. */
export async function runClients(report: Report, wharf: Wharf, fixture: Fixture, only = ''): Promise<void> {
  const place = await stagePlace(wharf, fixture.owner);
  const owner = new Owner(place);
  const environment = { WHARF_SUITE_PLACE: JSON.stringify(place) };
  for (const { revision, all, plain, logins } of CLIENT_RUNS) {
    const results: ScenarioResult[] = [];
    for (const scenario of [...plain, ...logins].filter((name) => name.startsWith(only))) {
      const command = plain.includes(scenario) ? CLIENT : PLATFORM;
      const args = [
        'client',
        '--command',
        command,
        '--scenario',
        scenario,
        '--spec-version',
        revision,
        '--timeout',
        TIMEOUT_MS,
      ];
      await owner.disconnect();
      const run = await runSuite(args, { environment });
      const result = singleOf(scenario, run);
      if (!result.passed) process.stdout.write(run.output);
      results.push(result);
    }
    const name = `our client of upstream servers, ${revision}`;
    report.add(name, results, only === '' ? all : results.length);
  }
  const results: ScenarioResult[] = [];
  for (const scenario of CREDENTIALS.filter((name) => name.startsWith(only))) {
    await owner.disconnect();
    const args = ['client', '--command', PLATFORM, '--scenario', scenario, '--timeout', TIMEOUT_MS];
    const run = await runSuite(args, { environment });
    const result = singleOf(scenario, run);
    if (!result.passed) process.stdout.write(run.output);
    results.push(result);
  }
  if (results.length > 0) report.add('client credentials', results, only === '' ? CREDENTIALS.length : results.length);
}
