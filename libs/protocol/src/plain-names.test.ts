import { expect, test } from '@jest/globals';
import { nameMaxBehind, plainNames } from './plain-names.js';

const MOUNTS = [{ nameMax: nameMaxBehind('acme') }];
const LONG = `shop__${'x'.repeat(60)}`;

test('names that are too long behind a client’s prefix have aliases, and are answered to under both', () => {
  const names = [LONG, `${LONG}y`, 'shop__a'];
  const { shown, also } = plainNames(MOUNTS, names);
  expect(plainNames(MOUNTS, names.toReversed())).toEqual({ shown, also });
  expect(shown.get('shop__a')).toBe('shop__a');
  for (const name of shown.values()) expect(`mcp__acme__${name}`.length).toBeLessThanOrEqual(64);
  expect(new Set([...shown.values(), ...also.keys()]).size).toBe(shown.size + also.size);
  expect(also.get(LONG)).toBe(LONG);
  expect(also.get(`${LONG}y`)).toBe(`${LONG}y`);
});

test('a tool that is called like another’s alias keeps its name', () => {
  const alias = plainNames(MOUNTS, [LONG]).shown.get(LONG) ?? '';
  const { shown, also } = plainNames(MOUNTS, [LONG, alias]);
  expect(shown.get(alias)).toBe(alias);
  expect(new Set(shown.values()).size).toBe(2);
  expect(also.has(alias)).toBe(false);
});

test('a server’s own URL has names of its own, with nothing before them', () => {
  const { shown, also } = plainNames([{}], ['x'.repeat(64)]);
  expect([...shown.values()]).toEqual(['x'.repeat(64)]);
  expect(also.size).toBe(0);
});
