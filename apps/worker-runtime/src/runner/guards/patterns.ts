import type { PersonalDataKind } from '#libs/protocol';

/** Where a candidate may begin: not within a word, but right behind an escape of a JSON text (`\n`). */
const BEFORE = String.raw`(?<=^|[^\p{L}\p{N}_]|\\[nrtbf])(?<!\\(?=[nrtbf]))`;
const AFTER = String.raw`(?![\p{L}\p{N}_])`;

/**
 * What may be personal data, by kind. All repeats are bounded and each begins at the edge of a word, so that finding them
 * takes time linear in the text; whether a candidate is what it looks like is for its check.
 */
export const CANDIDATES: Readonly<Record<PersonalDataKind, RegExp>> = {
  email: pattern(
    String.raw`[\p{L}\p{N}_][\p{L}\p{N}_.!#$%&'*+/=?^${'`'}{|}~-]{0,63}@(?:[\p{L}\p{N}](?:[\p{L}\p{N}-]{0,61}[\p{L}\p{N}])?\.){1,8}(?:xn--[\p{L}\p{N}-]{1,57}[\p{L}\p{N}]|\p{L}{2,63})`,
  ),
  phone: pattern(
    String.raw`(?:(?<![\p{L}\p{N}_+.-])|(?<=\\[nrtbf]))(?:(?:\+|00(?=[1-9]))\(?[1-9](?:[ .()/\u00A0-]{0,3}\d){6,14}|\([2-9]\d\d\) ?\d{3}[ .-]\d{4}|[2-9]\d\d([.-])\d{3}\1\d{4})${AFTER}(?![.-]\d)`,
    '',
  ),
  credit_card: pattern(
    String.raw`(?<![\d.-])(?:\d{13,19}|\d{4}([ \u00A0-])\d{4}\1\d{4}\1\d{1,7}|\d{4}([ \u00A0-])\d{6}\2\d{4,5})${AFTER}(?![.-]\d)`,
  ),
  iban: pattern(
    String.raw`[A-Z]{2}\d{2}(?:[A-Z0-9]{11,30}|(?:[ \u00A0-][A-Z0-9]{4}){2,7}(?:[ \u00A0-][A-Z0-9]{1,4})?)${AFTER}`,
  ),
  ip_address: pattern(
    String.raw`(?:(?<![\p{L}\p{N}_.:])|(?<=\\[nrtbf]))(?:\d{1,3}(?:\.\d{1,3}){3}(?!\.?\d)|(?:[0-9a-f]{0,4}:){2,7}(?:[0-9a-f]{1,4}|\d{1,3}(?:\.\d{1,3}){3})(?!:))${AFTER}`,
    '',
  ),
};

/** What a text must hold to have anything of a kind in it: spares most texts the pattern. */
export const HINTS: Readonly<Record<PersonalDataKind, RegExp>> = {
  email: /@/,
  phone: /\d{4}/,
  credit_card: /\d{4}/,
  iban: /[A-Z]{2}\d{2}/i,
  ip_address: /[.:]\d|::/,
};

function pattern(source: string, before = BEFORE): RegExp {
  return new RegExp(before + source, 'giu');
}
