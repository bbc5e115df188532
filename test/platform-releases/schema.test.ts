import { expect, test } from '@jest/globals';
import { breaksOf } from './breaks.js';
import type { SchemaCatalogue } from './schema-catalogue.js';

const BEFORE: SchemaCatalogue = {
  columns: new Map([
    ['servers.slug', 'text'],
    ['servers.old', 'text'],
    ['notes.text', 'text'],
  ]),
  required: new Set(['servers.slug']),
  uniques: new Set(['servers (tenant_id, slug)']),
  grants: new Set(['wharf_gateway SELECT servers.slug']),
};

const changedTo = (change: Partial<SchemaCatalogue>): SchemaCatalogue => ({ ...BEFORE, ...change });
const NONE = { contracts: [], lastVersion: '1.4.0' };

test('what is only added breaks nothing', () => {
  const added = changedTo({
    columns: new Map([...BEFORE.columns, ['servers.new', 'text'], ['things.id', 'uuid']]),
    required: new Set(['servers.slug', 'things.id']),
  });
  expect(breaksOf(BEFORE, added, NONE)).toEqual([]);
});

test('whatever the release before may use and is not there any more is a break', () => {
  const renamed = changedTo({ columns: new Map([...BEFORE.columns, ['servers.new', 'text']].slice(1) as never) });
  expect(breaksOf(BEFORE, renamed, NONE)).toEqual(['servers.slug is gone']);
  const changed = changedTo({
    columns: new Map([...BEFORE.columns, ['servers.slug', 'character varying(10)'], ['servers.must', 'text']]),
    required: new Set(['servers.slug', 'servers.must']),
    uniques: new Set(),
    grants: new Set(),
  });
  expect(breaksOf(BEFORE, changed, NONE)).toEqual([
    'servers.slug has another type',
    'servers.must must be filled by every insert, and has no default',
    'servers (tenant_id, slug) is no longer unique',
    'wharf_gateway SELECT servers.slug is no longer granted',
  ]);
});

test('what a contract removes may go once the last release is one that does without it', () => {
  const columns = new Map([['servers.slug', 'text']]);
  const contracts = [
    { removes: 'servers.old', unusedSince: '1.4.0' },
    { removes: 'notes', unusedSince: '1.5.0' },
  ];
  expect(breaksOf(BEFORE, changedTo({ columns }), { contracts, lastVersion: '1.4.0' })).toEqual(['notes.text is gone']);
  expect(breaksOf(BEFORE, changedTo({ columns }), { contracts, lastVersion: '1.5.0' })).toEqual([]);
});
