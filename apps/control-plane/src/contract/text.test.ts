import { expect, test } from '@jest/globals';
import { lineOfText } from './text.js';

const line = lineOfText(64);

test.each([
  ['a family', '👨\u200d👩\u200d👧'],
  ['a profession with a variation selector', 'Team 👩🏽\u200d⚕️ 1'],
  ['Persian', 'می\u200cخواهم'],
  ['a foreign word in Persian', 'API\u200cها'],
  ['Sinhala', 'ශ්\u200dරී ලංකා'],
  ['spaces of other widths', 'a\u00a0b\u3000c'],
])('a line of text may be %s', (_, text) => {
  expect(line.safeParse(text)).toEqual({ success: true, data: text });
});

test.each([
  ['a joiner at the start', '\u200dab'],
  ['a joiner at the end', 'می\u200c'],
  ['a joiner alone', '\u200d'],
  ['two joiners', '👨\u200d\u200d👩'],
  ['a joiner beside a space', 'می \u200cخ'],
  ['a joiner between letters that it does not change', 'ad\u200cmin'],
  ['an override of the direction', 'ab\u202etxt'],
  ['an isolate', '\u2067ab\u2069'],
  ['a mark of direction', 'a\u200fb'],
  ['a zero-width space', 'a\u200bb'],
  ['a word joiner', 'a\u2060b'],
  ['a byte-order mark', 'a\ufeffb'],
  ['tags that hide text', '🏴\u{e0067}\u{e0062}\u{e007f}'],
  ['a broken character', 'a\ud800b'],
  ['a new line', 'a\nb'],
  ['a line separator', 'a\u2028b'],
  ['U+0000', 'a\u0000b'],
])('a line of text has no %s', (_, text) => {
  expect(line.safeParse(text).success).toBe(false);
});

test('a long line is judged in one pass', () => {
  const long = lineOfText(1_000_000);
  expect(long.safeParse(`${'ی\u200c'.repeat(200_000)}\u202e`).success).toBe(false);
  expect(long.safeParse(`${'ی\u200c'.repeat(200_000)}ی`).success).toBe(true);
});
