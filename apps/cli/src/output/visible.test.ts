import { expect, test } from '@jest/globals';
import { harmless, harmlessJson, visible } from './visible.js';

const OBEYED = [
  ['a colour', '\u001b[31mred'],
  ['a title', '\u001b]0;owned\u0007'],
  ['a cleared screen', '\u001b[2J\u001b[H'],
  ['a sequence of one character above ASCII', '\u009b2J'],
  ['a line written over', 'approved\rrefused'],
  ['letters taken back', 'no\b\bok'],
  ['an order turned around', 'exe.\u202egnp'],
] as const;

test.each(OBEYED)('%s is written out in text, and the rest stays', (_, text) => {
  const shown = harmless(text);
  expect(shown).toMatch(/\\u\{[0-9a-f]+\}/);
  expect(shown).not.toMatch(/[\p{Cc}\u202e]/u);
});

test('line breaks, tabs, joiners and every script stay as they are', () => {
  const text = 'a\tb\nمی‌خواهم 👩‍👩‍👧 日本語 é';
  expect(harmless(text)).toBe(text);
  expect(harmless('a\r\nb')).toBe('a\nb');
});

test('what somebody decides upon hides not even a joiner', () => {
  expect(visible('a\u200db\nc')).toBe('a\\u{200d}b\\u{a}c');
});

test.each(OBEYED)('%s is escaped in JSON, which says the same', (_, text) => {
  const json = harmlessJson({ text });
  expect(json).not.toMatch(/\p{Cc}/u);
  expect(JSON.parse(json)).toEqual({ text });
});
