import type { Fixture } from './fixture.js';
import type { SuiteRun } from './suite.js';

/** Scenarios of a name that must have run, and how many checks at least. */
export interface Required {
  readonly scenario: RegExp;
  readonly scenarios: number;
  readonly checks: number;
}

/** One run of the suite's program over many scenarios. */
export interface ServerRun {
  readonly name: string;
  readonly eras: Parameters<Fixture['pathOf']>[0];
  readonly args: readonly string[];
  /** How many of its scenarios count for the revision; all must pass. */
  readonly scored: number;
  /** What must have run beside them. */
  readonly required?: Required;
}

const requirements = (revision: string): string[] => ['--requirements', revision];

/** The tasks extension, which no revision counts: what must have run all the same. One more the suite skips always. */
const TASKS: Required = { scenario: /^tasks-(?!status-notifications)/, scenarios: 9, checks: 44 };

/** Every scenario of both revisions, at a server that speaks its era and at one that only speaks the other. */
export const SERVER_RUNS: readonly ServerRun[] = [
  { name: '2025-11-25', eras: 'both', args: requirements('2025-11-25'), scored: 30 },
  { name: '2026-07-28', eras: 'both', args: requirements('2026-07-28'), scored: 37, required: TASKS },
  { name: '2025-11-25 at a server of 2025', eras: 'legacy', args: requirements('2025-11-25'), scored: 30 },
  { name: '2026-07-28 at a server of 2025', eras: 'legacy', args: requirements('2026-07-28'), scored: 37 },
  { name: '2025-11-25 at a server of 2026', eras: 'modern', args: requirements('2025-11-25'), scored: 30 },
];

/** Scenarios that no revision counts. */
export const SINGLE_SCENARIOS = [
  'sep-2640-skills-directory',
  'sep-2640-skills-enumeration',
  'sep-2640-skills-manifest',
] as const;

/** How one scenario ended. */
export interface ScenarioResult {
  readonly scenario: string;
  readonly checks: number;
  readonly passed: boolean;
  readonly scored: boolean;
}

/** The scenarios of a run over many, from the summary that it prints. */
export function scenariosOf({ output }: SuiteRun): ScenarioResult[] {
  const [, summary = ''] = output.split('=== SUMMARY ===');
  const unscored = new Set([...summary.matchAll(/^ {2}[✓✗] (\S+) \(/gm)].map(([, scenario]) => scenario));
  return [...summary.matchAll(/^[✓✗~] (\S+): (\d+) passed, (\d+) failed/gm)].map(
    ([, scenario = '', checks, failed]) => ({
      scenario,
      checks: Number(checks),
      passed: Number(failed) === 0 && Number(checks) > 0,
      scored: !unscored.has(scenario),
    }),
  );
}

/** A run of one thing: passed where the program says so and names at least one check, for a skipped one is no success. */
export function singleOf(scenario: string, { code, output }: SuiteRun): ScenarioResult {
  const counted = /(?:Passed: (\d+)\/\1, 0 failed, 0 warnings|Total: (\d+) passed, 0 failed)/.exec(output);
  const checks = Number(counted?.[1] ?? counted?.[2] ?? 0);
  return { scenario, checks, passed: code === 0 && checks > 0, scored: true };
}
