import { RE2JS } from 're2js';
import type { CheckBudget } from './check-budget.js';

/** What a compiled schema asks of a `pattern`. */
export interface Pattern {
  test(text: string): boolean;
  /** The pattern itself, which the schema's engine tells patterns apart by. */
  toString(): string;
}

const ATOM = String.raw`(?:[^\\^$.|?*+()[\]{}]|\\[dDwWsS.\\/^$|?*+()[\]{}-]|\[(?:[^\]\\]|\\.)+\]|\.)`;
const COUNTED = String.raw`${ATOM}(?:\{\d{1,3}\})?`;
/** Begins at the start, has no group, no choice and one part of open length at most: nothing to go back for. */
const OPEN = String.raw`${ATOM}(?:[*+?]|\{\d{1,4},\d{0,4}\})`;
const PLAIN = new RegExp(String.raw`^\^(?:${COUNTED})*(?:${OPEN})?(?<tail>(?:${COUNTED})*)\$?$`);
const PLAIN_CHARACTERS_MAX = 200;
/** Most places that a pattern of a new release may have: with more, not even some pages of text could be checked. */
export const PATTERN_PLACES_MAX = 10_000;

/**
 * A `pattern` that answers in a time which grows with the text and no faster. The engine of JavaScript goes back over what it
 * has read (`^(a+)+$` takes forty letters for minutes), and a worker that is busy with one call is ended with the sessions
 * of everybody at that server; so all but the plainest patterns are left to RE2's algorithm. What that cannot do at all,
 * looking ahead or behind, naming an earlier group, more than a thousand repetitions of a group, is not checked: the upstream does.
 * Its `test` throws CheckLimit where that would take more steps than are left.
 * @throws SyntaxError what ECMA-262 does not read either
 */
export function boundedPattern(pattern: string, budget: CheckBudget): Pattern {
  const { places, test } = engineOf(pattern);
  return {
    test: (text) => {
      budget.spend(text.length * places, { kind: 'pattern', text, pattern, places });
      return test(text);
    },
    toString: () => pattern,
  };
}

/** How many places of a pattern a character is held against at most. @throws SyntaxError as `boundedPattern` */
export function placesOf(pattern: string): number {
  return engineOf(pattern).places;
}

function engineOf(pattern: string): { readonly places: number; readonly test: (text: string) => boolean } {
  const native = tolerantPattern(pattern);
  const tail = pattern.length <= PLAIN_CHARACTERS_MAX ? PLAIN.exec(pattern)?.groups?.['tail'] : undefined;
  if (tail !== undefined) return { places: plainPlaces(tail), test: (text) => native.test(text) };
  const linear = linearPattern(pattern);
  if (linear === undefined) return { places: 0, test: () => true };
  return { places: linear.programSize(), test: (text) => linear.matcher(text).find() };
}

/** What follows the part of open length is tried again for each character of that. */
function plainPlaces(tail: string): number {
  const counts = tail.match(/(?<=\{)\d+(?=\})/g) ?? [];
  return counts.reduce((places, count) => places + Number(count), 1 + tail.length);
}

function linearPattern(pattern: string): RE2JS | undefined {
  try {
    return RE2JS.compile(RE2JS.translateRegExp(pattern));
  } catch {
    return undefined;
  }
}

/** A `pattern` as ECMA-262 with Unicode reads it, or without, which many published schemas need. @throws SyntaxError */
export function tolerantPattern(pattern: string): RegExp {
  try {
    return new RegExp(pattern, 'u');
  } catch {
    return new RegExp(pattern);
  }
}
