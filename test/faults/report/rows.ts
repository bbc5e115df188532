import type { Cost } from '../catalogue/fault.js';
import type { Call, Ledger } from '../traffic/ledger.js';
import type { Recovered } from '../traffic/recovery.js';
import type { Asides } from '../traffic/traffic.js';
import type { Heard } from '../traffic/upstream.js';
import { faultOfRecord, type Records } from './audit.js';
import { overspent } from './cost.js';

/** A fault as it went: what it may cost, and when each door was well again. */
export interface Outcome {
  readonly name: string;
  /** Without one, these are calls of no fault, which are looked for in the audit log like all others. */
  readonly cost?: Cost;
  readonly recovered: readonly Recovered[];
  /** Set where it could not be brought about, or broke the suite itself. */
  readonly problem?: string;
  readonly skipped?: { readonly why: string; readonly allowed: 'allowed' | 'not allowed' };
}

/** A line of the table. */
export interface Row {
  readonly outcome: Outcome;
  /** Made by clients in their turn, those made once more, and which of both failed. */
  readonly calls: number;
  readonly failed: number;
  readonly again: number;
  readonly failedAgain: number;
  readonly sessionsEnded: number;
  readonly asides: Asides;
  readonly duplicated: readonly string[];
  readonly lost: readonly string[];
  readonly wrong: readonly string[];
  readonly canaries: readonly string[];
  /** What else broke a promise. */
  readonly problems: readonly string[];
}

/** What is known of all calls when everything is over. */
export interface Evidence {
  readonly ledger: Ledger;
  readonly heard: readonly Heard[];
  readonly records: Records;
  readonly asides: ReadonlyMap<string, Asides>;
}

/** Makes the table's rows, each with what breaks a promise. */
export function rowsOf(outcomes: readonly Outcome[], { ledger, heard, records, asides }: Evidence): Row[] {
  const heardBy = Map.groupBy(heard, ({ text }) => text);
  const byRow = Map.groupBy(ledger.calls, ({ row }) => row);
  return outcomes.map((outcome) => {
    const calls = byRow.get(outcome.name) ?? [];
    const own = asides.get(outcome.name) ?? { asked: 0, failures: [] };
    const heardOf = ({ text }: Call): readonly Heard[] => heardBy.get(text) ?? [];
    const judged = Map.groupBy(calls, (call) => faultOfRecord(call, heardOf(call).length > 0, records));
    const strayed = calls.filter((call) => heardOf(call).some(({ mark }) => mark !== call.mark));
    const leaks = ledger.leaks.filter(({ row }) => row === outcome.name);
    const describe = (call: Call): string =>
      `${call.text} (${call.answer?.status ?? 'no answer'}; recorded ${(records.get(call.digest) ?? []).join(', ') || 'never'})`;
    const count = (purpose: Call['purpose'], of: readonly Call[]): number =>
      of.filter((call) => call.purpose === purpose).length;
    const failed = calls.filter((call) => call.failed);
    return {
      outcome,
      calls: count('first', calls),
      failed: count('first', failed),
      again: count('again', calls),
      failedAgain: count('again', failed),
      sessionsEnded: calls.filter(({ sessionEnded }) => sessionEnded).length,
      asides: own,
      duplicated: calls.filter((call) => heardOf(call).length > 1).map(describe),
      lost: (judged.get('lost') ?? []).map(describe),
      wrong: (judged.get('wrong') ?? []).map(describe),
      canaries: [...leaks.map(({ text }) => text), ...strayed.map(describe)],
      problems: problemsOf(outcome, calls, own),
    };
  });
}

function problemsOf(outcome: Outcome, calls: readonly Call[], asides: Asides): string[] {
  const { cost, recovered, problem, skipped } = outcome;
  if (skipped !== undefined) return skipped.allowed === 'allowed' ? [] : [`was not brought about: ${skipped.why}`];
  const late = recovered.filter(({ seconds }) => seconds === undefined).map(({ name }) => `${name} did not recover`);
  const spent = cost === undefined ? [] : overspent(cost, calls, asides);
  const unseen = cost !== undefined && calls.every(({ purpose }) => purpose === 'probe') ? ['no client called'] : [];
  return [...(problem === undefined ? [] : [problem]), ...late, ...unseen, ...spent];
}

/** What broke a promise in a row: nothing where it is as it should be. */
export function faultsOf(row: Row): string[] {
  return [
    ...row.duplicated.map((call) => `ran more than once: ${call}`),
    ...row.lost.map((call) => `no audit record: ${call}`),
    ...row.wrong.map((call) => `wrong audit record: ${call}`),
    ...row.canaries.map((call) => `another tenant's: ${call}`),
    ...row.problems,
  ];
}

/** How many rows kept what is promised and how many did not: what was left out by leave has done neither, and so have calls of no fault that are as they should be. */
export function countOf(rows: readonly Row[]): { readonly passed: number; readonly failed: number } {
  const failed = rows.filter((row) => faultsOf(row).length > 0);
  const passed = rows.filter(
    (row) => !failed.includes(row) && row.outcome.cost !== undefined && row.outcome.skipped === undefined,
  );
  return { passed: passed.length, failed: failed.length };
}
