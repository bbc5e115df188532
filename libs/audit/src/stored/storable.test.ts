import { expect, test } from '@jest/globals';
import { cutText, storableJson } from './storable.js';

test('no character is cut apart, and what PostgreSQL refuses becomes U+FFFD', () => {
  const emoji = '\u{1f600}';
  expect(cutText(`${'a'.repeat(63)}${emoji}b`, 64)).toBe(`${'a'.repeat(63)}${emoji}`);
  expect(cutText(`${'a'.repeat(64)}${emoji}`, 64)).toBe('a'.repeat(64));
  expect(cutText(emoji.repeat(65), 64)).toBe(emoji.repeat(64));
  expect(cutText('a\u0000b\ud800', 64)).toBe('a\ufffdb\ufffd');
});

test('every text and name of a value is made storable, however deep, and nothing else is changed', () => {
  const kept = { 'back\\u0000slash': '\\ud800 "\\\\u0000" \u0001 \u{1f600} \n', list: [1, null, { deep: 'é' }] };
  expect(JSON.parse(storableJson(kept))).toEqual(kept);
  expect(JSON.parse(storableJson({ 'a\u0000': ['\ud800', { b: '\\\u0000\udfff' }] }))).toEqual({
    'a\ufffd': ['\ufffd', { b: '\\\ufffd\ufffd' }],
  });
});
