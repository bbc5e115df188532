import { expect, test } from '@jest/globals';
import { definitionDigest, diffReleases, listedToolsOf, type ListedTool } from './index.js';

const tool = (name: string, more: Partial<ListedTool> = {}): ListedTool => ({
  name,
  description: 'Does.',
  inputSchema: { type: 'object', properties: { a: { type: 'string' } } },
  ...more,
});
const found = { type: 'object', properties: { id: { type: 'string' } }, required: ['id'] };

test('the same tools are no difference, in whatever order', () => {
  expect(diffReleases([tool('a'), tool('b')], [tool('b'), tool('a')])).toMatchObject({ effect: 'none', changed: [] });
});

test('a tool under another name is one removed and one added, which breaks', () => {
  expect(diffReleases([tool('a')], [tool('b')])).toMatchObject({ effect: 'breaking', added: ['b'], removed: ['a'] });
});

test('a new tool is compatible, a new sentence is wording', () => {
  expect(diffReleases([tool('a')], [tool('a'), tool('b')]).effect).toBe('compatible');
  const reworded = diffReleases([tool('a')], [tool('a', { description: 'Does more.' })]);
  expect(reworded).toMatchObject({
    effect: 'wording',
    changed: [{ description: { before: 'Does.', after: 'Does more.' } }],
  });
});

test('of what agents get, more is compatible and less breaks', () => {
  const before = tool('a', { outputSchema: found });
  const more = tool('a', { outputSchema: { ...found, properties: { ...found.properties, name: { type: 'string' } } } });
  const less = tool('a', { outputSchema: { type: 'object', properties: {} } });
  const other = tool('a', { outputSchema: { ...found, properties: { id: { type: 'number' } } } });
  expect(diffReleases([before], [more]).effect).toBe('compatible');
  expect(diffReleases([before], [less]).effect).toBe('breaking');
  expect(diffReleases([before], [other]).effect).toBe('breaking');
  expect(diffReleases([before], [tool('a')]).effect).toBe('breaking');
  expect(diffReleases([tool('a')], [before]).effect).toBe('compatible');
});

test('a tool that only read and may write now breaks', () => {
  const reads = tool('a', { annotations: { readOnlyHint: true } });
  expect(diffReleases([reads], [tool('a')]).effect).toBe('breaking');
  expect(diffReleases([tool('a')], [reads]).effect).toBe('wording');
});

test('what extensions say of a tool is shown; that its user interface is gone breaks', () => {
  const page = (resourceUri: string) => tool('a', { _meta: { ui: { resourceUri } } });
  const flat = tool('a', { _meta: { 'ui/resourceUri': 'ui://a' } });
  expect(diffReleases([page('ui://a')], [page('ui://b')])).toMatchObject({
    effect: 'compatible',
    changed: [{ meta: { before: { ui: { resourceUri: 'ui://a' } }, after: { ui: { resourceUri: 'ui://b' } } } }],
  });
  expect(diffReleases([tool('a')], [page('ui://a')]).effect).toBe('compatible');
  expect(diffReleases([page('ui://a')], [flat]).effect).toBe('compatible');
  expect(diffReleases([page('ui://a')], [tool('a')]).effect).toBe('breaking');
  expect(diffReleases([flat], [tool('a', { _meta: { ui: {} } })]).effect).toBe('breaking');
});

test('what extensions say of a tool is part of its hash', () => {
  const listed = (more: object): string[] =>
    listedToolsOf({ tools: [{ ...tool('a'), ...more }] }).map((one) => definitionDigest(one));
  expect(listed({ _meta: { ui: { resourceUri: 'ui://a' } } })).not.toEqual(listed({}));
  expect(listed({ http: { method: 'GET' } })).toEqual(listed({}));
});
