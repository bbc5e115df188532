import { EXPECTED } from './expected.js';
import type { ScenarioResult, Required } from './runs.js';

/** Prints how the suite went, a table for each run, and knows whether all is as it should be. */
export class Report {
  #passed = 0;
  #faults = 0;

  /** Prints a run's scenarios; `scored` is how many of them must count, and all of those must pass. */
  add(run: string, results: readonly ScenarioResult[], scored: number): void {
    const counted = results.filter((result) => result.scored);
    const passed = counted.filter((result) => result.passed);
    const checks = results.reduce((sum, result) => sum + result.checks, 0);
    this.#line(`\n${run}: ${passed.length}/${scored} scored, ${results.length} scenarios, ${checks} checks`);
    if (counted.length !== scored || passed.length !== scored) this.#faults += 1;
    for (const result of results) this.#scenario(run, result);
  }

  /** Prints how many scenarios of a name really ran, passed and made checks; fewer than these are a fault. */
  require(run: string, results: readonly ScenarioResult[], { scenario, scenarios, checks }: Required): void {
    const ran = results.filter((result) => scenario.test(result.scenario) && result.passed);
    const made = ran.reduce((sum, result) => sum + result.checks, 0);
    this.#line(`${run}: ${ran.length} of ${scenarios} scenarios ran, ${made} of ${checks} checks`);
    if (ran.length !== scenarios || made < checks) this.#faults += 1;
  }

  /** Prints the end, whose last line counts. Returns whether everything is as it should be. */
  end(): boolean {
    this.#line(this.#faults === 0 ? '\nEverything as it should be.' : `\n${this.#faults} faults.`);
    this.#line(`${this.#passed} passed, ${this.#faults} failed`);
    return this.#faults === 0;
  }

  #scenario(run: string, { scenario, checks, passed, scored }: ScenarioResult): void {
    const expected = EXPECTED.find((entry) => entry.run.test(run) && entry.scenario.test(scenario));
    const note =
      expected === undefined ? '' : `: ${passed ? 'stale, expected to fail because ' : ''}${expected.reason}`;
    if (passed ? expected !== undefined : expected === undefined) this.#faults += 1;
    if (passed && expected === undefined) this.#passed += 1;
    const mark = passed ? '✓' : expected === undefined ? '✗' : '–';
    this.#line(`  ${mark} ${scenario} (${checks} checks${scored ? '' : ', not scored'})${note}`);
  }

  #line(text: string): void {
    process.stdout.write(`${text}\n`);
  }
}
