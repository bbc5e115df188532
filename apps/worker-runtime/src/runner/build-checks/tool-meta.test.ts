import { expect, test } from '@jest/globals';
import { Problems } from './problems.js';
import { pinMeta } from './tool-meta.js';

function nested(levels: number): Record<string, unknown> {
  return levels === 0 ? {} : { a: nested(levels - 1) };
}

test('keeps what extensions say of a tool, and adds nothing where they say nothing', () => {
  const problems = new Problems();
  const meta = { ui: { resourceUri: 'ui://a' }, 'example.com/deep': nested(14) };
  expect(pinMeta(problems, '/tool', meta)).toEqual({ _meta: meta });
  expect([pinMeta(problems, '/tool', undefined), pinMeta(problems, '/tool', {})]).toEqual([{}, {}]);
  expect(problems.any).toBe(false);
});

test.each([
  ['too long', { text: 'x'.repeat(16_384) }],
  ['too deep', nested(1_000)],
  ['a hidden character in a text', { ui: { title: 'a\u200Bb' } }],
  ['a hidden character in a name', { 'a\u{E0041}': 1 }],
])('refuses %s', (_, meta) => {
  const problems = new Problems();
  pinMeta(problems, '/tool', meta);
  expect(problems.any).toBe(true);
});
