import { mostOf, type Bound, type Cost } from '../catalogue/fault.js';
import { RECORDED_FIRST } from '../platform/tenants.js';
import type { Call } from '../traffic/ledger.js';
import type { Asides } from '../traffic/traffic.js';

const SHOWN_MAX = 3;

/** In what a fault cost more than it may: a sentence for each. */
export function overspent(cost: Cost, calls: readonly Call[], asides: Asides): string[] {
  const [first, again] = [calls.filter(isMade('first')), calls.filter(isMade('again'))];
  const other = cost.recordedFirst;
  const of = (made: readonly Call[], which: 'recorded first' | 'others'): readonly Call[] =>
    other === undefined
      ? made.filter(() => which === 'others')
      : made.filter(({ mark }) => mark.startsWith(RECORDED_FIRST) === (which === 'recorded first'));
  const failures = (made: readonly Call[]): string[] => made.filter(({ failed }) => failed).map(failureOf);
  const judge = (what: string, bound: Bound, made: readonly Call[]): string | undefined =>
    tooMany(what, bound, made.length, failures(made));
  const ended = first.filter(({ sessionEnded }) => sessionEnded).map(({ text }) => text);
  return [
    judge('calls failed', cost.calls, of(first, 'others')),
    judge('calls failed once more when they were made again', cost.again, of(again, 'others')),
    judge('calls whose record is committed first failed', other ?? cost.calls, of(first, 'recorded first')),
    judge('of those failed once more', other ?? cost.again, of(again, 'recorded first')),
    tooMany('calls were told that their session has ended', cost.sessions, first.length, ended),
    tooMany('requests of the API failed', cost.api, asides.asked, asides.failures),
  ].filter((text) => text !== undefined);
}

function isMade(purpose: Call['purpose']): (call: Call) => boolean {
  return (call) => call.purpose === purpose;
}

function tooMany(what: string, bound: Bound, made: number, failures: readonly string[]): string | undefined {
  const most = mostOf(bound, made);
  if (failures.length <= most) return undefined;
  const shown = failures.slice(0, SHOWN_MAX).join('; ');
  return `${failures.length} of ${made} ${what}, where ${most} may: ${shown}`;
}

function failureOf({ text, failure, ms }: Call): string {
  return `${text} after ${ms?.toFixed(0) ?? '?'} ms: ${failure ?? 'not ended'}`;
}
