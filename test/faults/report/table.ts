import type { MayFail } from '../catalogue/fault.js';
import { RECORDED_FIRST } from '../platform/tenants.js';
import type { Call, Ledger } from '../traffic/ledger.js';
import type { Recovered } from '../traffic/recovery.js';
import type { Asides } from '../traffic/traffic.js';
import type { Heard } from '../traffic/upstream.js';
import { faultOfRecord, type Records } from './audit.js';

/** A fault as it went: what was promised of calls, and when each door was well again. */
export interface Outcome {
  readonly name: string;
  readonly calls: MayFail;
  readonly recovered: readonly Recovered[];
  /** Set where it could not be brought about, or broke the suite itself. */
  readonly problem?: string;
  readonly skipped?: string;
}

/** A line of the table. */
interface Row {
  readonly fault: string;
  readonly calls: number;
  readonly failed: number;
  readonly asides: Asides;
  readonly duplicated: readonly string[];
  readonly lost: readonly string[];
  readonly wrong: readonly string[];
  readonly canaries: readonly string[];
  readonly recovery: string;
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
    const heardOf = ({ text }: Call): readonly Heard[] => heardBy.get(text) ?? [];
    const records_ = Map.groupBy(calls, (call) => faultOfRecord(call, heardOf(call).length > 0, records));
    const failed = calls.filter((call) => call.failed || call.sessionEnded);
    const needless = failed.filter((call) => !mayFail(outcome.calls, call));
    const strayed = calls.filter((call) => heardOf(call).some(({ mark }) => mark !== call.mark));
    const leaks = ledger.leaks.filter(({ row }) => row === outcome.name);
    const late = outcome.recovered.filter(({ seconds }) => seconds === undefined).map(({ name }) => name);
    const describe = (call: Call): string =>
      `${call.text} (${call.answer?.status ?? 'no answer'}; recorded ${(records.get(call.digest) ?? []).join(', ') || 'never'})`;
    return {
      fault: outcome.name,
      calls: calls.length,
      failed: failed.length,
      asides: asides.get(outcome.name) ?? { asked: 0, failed: 0 },
      duplicated: calls.filter((call) => heardOf(call).length > 1).map(describe),
      lost: (records_.get('lost') ?? []).map(describe),
      wrong: (records_.get('wrong') ?? []).map(describe),
      canaries: [...leaks.map(({ text }) => text), ...strayed.map(describe)],
      recovery: outcome.skipped === undefined ? recoveryOf(outcome.recovered) : 'skipped',
      problems: [
        ...(outcome.problem === undefined ? [] : [outcome.problem]),
        ...late.map((name) => `${name} did not recover`),
        ...(needless.length > 0
          ? [`calls failed that do not need it: ${needless.slice(0, 3).map(failureOf).join('; ')}`]
          : []),
      ],
    };
  });
}

function mayFail(calls: MayFail, { failed, mark }: Call): boolean {
  switch (calls) {
    case 'may fail':
      return true;
    case 'must succeed':
      return false;
    case 'recorded first may fail':
      return mark.startsWith(RECORDED_FIRST);
    case 'sessions may end':
      return !failed;
  }
}

function failureOf({ text, failure, ms }: Call): string {
  return `${text} after ${ms.toFixed(0)} ms: ${failure ?? 'not ended'}`;
}

function recoveryOf(recovered: readonly Recovered[]): string {
  const worst = recovered.reduce((most, { seconds }) => Math.max(most, seconds ?? Infinity), 0);
  return worst === Infinity ? 'never' : worst.toFixed(1);
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

const HEADINGS = [
  'fault',
  'calls',
  'failed',
  'API',
  'API failed',
  'duplicated',
  'lost records',
  'wrong records',
  'canaries',
  'recovery s',
];

/** The table as Markdown. */
export function tableOf(rows: readonly Row[]): string {
  const cells = rows.map((row) => [
    row.fault,
    ...[row.calls, row.failed, row.asides.asked, row.asides.failed].map(String),
    ...[row.duplicated, row.lost, row.wrong, row.canaries].map(({ length }) => String(length)),
    row.recovery,
  ]);
  const all = [HEADINGS, ...cells];
  const widths = HEADINGS.map((_, at) => Math.max(...all.map((line) => line[at]?.length ?? 0)));
  const line = (texts: readonly string[]): string =>
    `| ${texts.map((text, at) => (at === 0 ? text.padEnd(widths[at] ?? 0) : text.padStart(widths[at] ?? 0))).join(' | ')} |`;
  const rule = `| ${widths.map((width, at) => (at === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`;
  return [line(HEADINGS), rule, ...cells.map(line)].join('\n');
}
