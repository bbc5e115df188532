import type { PersonalDataKind } from '#libs/protocol';
import { checksOf, type Check } from './checks.js';
import { CANDIDATES, HINTS } from './patterns.js';
import type { Steps } from './steps.js';

/** Most candidates in one call's answer: what checking them takes is bounded by it. */
const CANDIDATES_MAX = 20_000;
/** Characters that are searched in one step, of the worst text in a few milliseconds. */
const SLICE = 16_384;
/** What a pattern looks at before a candidate, and at most of it and behind it: all its repeats are bounded. */
const BEHIND = 8;
const AHEAD = 1_024;
/** Candidates that are checked in one step. */
const CHECKS = 64;

/** There is more that looks like personal data than is looked at. */
export class TooMuchToCheck extends Error {}

/** How much of each kind was found. */
export type Found = Partial<Record<PersonalDataKind, number>>;

/** Where in a text a finding is. */
interface Finding {
  readonly from: number;
  readonly to: number;
}

/** Finds personal data of some kinds in texts, in time linear in their length, and takes it out. */
export class PersonalData {
  #candidates = 0;

  private constructor(private readonly checks: ReadonlyMap<PersonalDataKind, Check>) {}

  /** What finds these kinds. */
  static async of(kinds: readonly PersonalDataKind[]): Promise<PersonalData> {
    return new PersonalData(await checksOf(kinds));
  }

  /** A text with the kind in place of each finding (`[email]`); counts them in `found`. @throws TooMuchToCheck */
  *redact(text: string, found: Found): Steps<string> {
    let left = text;
    for (const [kind, check] of this.checks) left = yield* this.#without(left, kind, check, found);
    yield;
    return left;
  }

  *#without(text: string, kind: PersonalDataKind, check: Check, found: Found): Steps<string> {
    if (text.length <= SLICE && !HINTS[kind].test(text)) return text;
    let shown = '';
    let upTo = 0;
    for (let from = 0; from < text.length; from = Math.max(upTo, sliceEnd(text, from))) {
      const findings = yield* this.#within(text, { from, to: sliceEnd(text, from) }, kind, check);
      for (const finding of findings) {
        shown += `${text.slice(upTo, finding.from)}[${kind}]`;
        upTo = finding.to;
        found[kind] = (found[kind] ?? 0) + 1;
      }
      if (text.length > SLICE) yield;
    }
    return upTo === 0 ? text : shown + text.slice(upTo);
  }

  /** Findings that begin within a slice of a text. */
  *#within(text: string, slice: Finding, kind: PersonalDataKind, check: Check): Steps<readonly Finding[]> {
    const start = Math.max(0, slice.from - BEHIND);
    const view = text.slice(start, slice.to + AHEAD);
    if (!HINTS[kind].test(view)) return [];
    const findings: Finding[] = [];
    const pattern = CANDIDATES[kind];
    for (let at = slice.from - start, checked = 1; ; checked += 1) {
      // Others use the pattern between two steps.
      pattern.lastIndex = at;
      const match = pattern.exec(view);
      if (match === null || start + match.index >= slice.to) return findings;
      this.#candidates += 1;
      if (this.#candidates > CANDIDATES_MAX) throw new TooMuchToCheck();
      const length = check(match[0]);
      if (length > 0) findings.push({ from: start + match.index, to: start + match.index + length });
      // What follows a candidate that is none may begin within it, but not within its first character.
      at = match.index + (length > 0 ? length : String.fromCodePoint(view.codePointAt(match.index) ?? 0).length);
      if (checked % CHECKS === 0) yield;
    }
  }
}

/** Where a slice that begins here ends: not within a character that is two units long. */
function sliceEnd(text: string, from: number): number {
  const end = from + SLICE;
  const isWithin = /[\uD800-\uDBFF]/.test(text.charAt(end - 1));
  return Math.min(text.length, isWithin ? end - 1 : end);
}
