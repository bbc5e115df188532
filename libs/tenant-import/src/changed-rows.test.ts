import { expect, test } from '@jest/globals';
import { ChangedRows, type ChangingParts } from './changed-rows.js';

test.each([
  ['as a list', ['there', 'stranger', 'two'], ['one', 'two-here']],
  ['one alone, as an earlier version wrote it', 'there', ['one']],
  ['one who stayed away', 'stranger', []],
  ['nobody', null, []],
])('holders of a client’s secret are read where an archive names them %s', async (_how, given, here) => {
  const found = [
    { id: 'one', confirmed: true },
    { id: 'two-here', confirmed: true },
  ];
  const changes = new ChangedRows({ ask: () => Promise.resolve(found.splice(0, 1)) } as unknown as ChangingParts); // as below
  for (const id of ['there', 'two']) await changes.of('members')?.({ account_id: id, email: `${id}@example.com` });
  const row = await changes.of('clients')?.({ id: 'c', created_by: 'there', secret_given_to: given });
  expect(row).toEqual({ id: 'c', created_by: 'one', secret_given_to: here });
});

test('a client of an archive from before holders were kept says nothing of them', async () => {
  const changes = new ChangedRows({} as unknown as ChangingParts); // as below
  expect(await changes.of('clients')?.({ id: 'c' })).toEqual({ id: 'c' });
});

test('who wrote a secret is called as here, and is nobody where they did not come along', async () => {
  const parts = { ask: () => Promise.resolve([{ id: 'here', confirmed: true }]) };
  const changes = new ChangedRows(parts as unknown as ChangingParts); // rows of these tables ask for nothing else
  const member = await changes.of('members')?.({ account_id: 'there', email: 'edith@example.com' });
  const writerOf = async (table: string, actor: object | null) =>
    (await changes.of(table)?.({ name: 'TOKEN', written_by: actor }))?.['written_by'];
  for (const table of ['secrets', 'secret_versions']) {
    expect(await writerOf(table, { kind: 'person', id: 'there' })).toEqual({
      kind: 'person',
      id: member?.['account_id'],
    });
    expect(await writerOf(table, { kind: 'person', id: 'stranger' })).toBeNull();
    expect(await writerOf(table, { kind: 'api-key', id: 'k' })).toEqual({ kind: 'api-key', id: 'k' });
    expect(await writerOf(table, null)).toBeNull();
  }
});
