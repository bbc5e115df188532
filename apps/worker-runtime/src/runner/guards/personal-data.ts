import type { PersonalDataKind } from '#libs/protocol';
import { checksOf, type Check } from './checks.js';
import { CANDIDATES, HINTS } from './patterns.js';

/** Most candidates in one call's answer: what checking them takes is bounded by it. */
const CANDIDATES_MAX = 20_000;

/** There is more that looks like personal data than is looked at. */
export class TooMuchToCheck extends Error {}

/** How much of each kind was found. */
export type Found = Partial<Record<PersonalDataKind, number>>;

/** Finds personal data of some kinds in texts, in time linear in their length, and takes it out. */
export class PersonalData {
  #candidates = 0;

  private constructor(private readonly checks: ReadonlyMap<PersonalDataKind, Check>) {}

  /** What finds these kinds. */
  static async of(kinds: readonly PersonalDataKind[]): Promise<PersonalData> {
    return new PersonalData(await checksOf(kinds));
  }

  /** A text with the kind in place of each finding (`[email]`); counts them in `found`. @throws TooMuchToCheck */
  redact(text: string, found: Found): string {
    let left = text;
    for (const [kind, check] of this.checks) if (HINTS[kind].test(left)) left = this.#without(left, kind, check, found);
    return left;
  }

  #without(text: string, kind: PersonalDataKind, check: Check, found: Found): string {
    const pattern = CANDIDATES[kind];
    pattern.lastIndex = 0;
    let shown = '';
    let upTo = 0;
    for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
      this.#candidates += 1;
      if (this.#candidates > CANDIDATES_MAX) throw new TooMuchToCheck();
      const length = check(match[0]);
      // What follows a candidate that is none may begin within it, but not within its first character.
      pattern.lastIndex =
        match.index + (length === 0 ? String.fromCodePoint(text.codePointAt(match.index) ?? 0).length : length);
      if (length === 0) continue;
      shown += `${text.slice(upTo, match.index)}[${kind}]`;
      upTo = match.index + length;
      found[kind] = (found[kind] ?? 0) + 1;
    }
    return upTo === 0 ? text : shown + text.slice(upTo);
  }
}
