import { expect, test } from '@jest/globals';
import { ChangedRows, type ChangingParts } from './changed-rows.js';

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
