import { describe, expect, test } from '@jest/globals';
import { matchesAny, shownNames, type ToolView } from './tool-view.js';

const VIEW: ToolView = { kind: 'view', exclude: [], renames: {}, nameMax: 40 };
const LONG = `shop__${'x'.repeat(50)}`;

describe('the names of a view', () => {
  test('are the same in whatever order its tools are told, and after a release brings others', () => {
    const names = [LONG, `${LONG}y`, 'shop__a', 'crm__b'];
    const shown = shownNames(VIEW, names);
    expect(shownNames(VIEW, names.toReversed())).toEqual(shown);
    const later = shownNames(VIEW, ['shop__new', ...names]);
    for (const [full, name] of shown) expect(later.get(full)).toBe(name);
    for (const name of shown.values()) expect(name.length).toBeLessThanOrEqual(40);
    expect(new Set(shown.values()).size).toBe(names.length);
  });

  test('never meet: a rename comes before a full name, and that before an alias', () => {
    const alias = shownNames(VIEW, [LONG]).get(LONG) ?? '';
    const met = shownNames({ ...VIEW, renames: { shop__a: 'crm__b' } }, [LONG, alias, 'shop__a', 'crm__b']);
    expect([met.get('shop__a'), met.get(alias)]).toEqual(['crm__b', alias]);
    expect(new Set(met.values()).size).toBe(4);
    const searching = shownNames({ ...VIEW, search: true, renames: { shop__a: 'run_tool' } }, ['shop__a']);
    expect(searching.get('shop__a')).toBe('shop__a');
  });

  test('are of the tools that it lets through', () => {
    const view = { ...VIEW, tools: ['shop__a', 'shop__gone'], exclude: ['*__a'] };
    expect(shownNames({ ...view, exclude: [] }, ['shop__a', 'shop__b'])).toEqual(new Map([['shop__a', 'shop__a']]));
    expect(shownNames(view, ['shop__a', 'shop__b']).size).toBe(0);
  });
});

test.each<[string, string, boolean]>([
  ['shop__*', 'shop__get', true],
  ['shop__*', 'shops__get', false],
  ['*__get_*', 'shop__get_order', true],
  ['*order*', 'shop__reorder_all', true],
  ['a*a', 'a', false],
  ['get', 'get', true],
  ['get', 'get2', false],
  ['*', '', true],
  [`${'*a'.repeat(80)}`, 'a'.repeat(79), false],
])('the pattern %s means %s: %s', (pattern, name, expected) => {
  expect(matchesAny([pattern], name)).toBe(expected);
});
