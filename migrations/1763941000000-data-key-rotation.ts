import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Columns sealed under tenants' data keys: table → what opening and sealing anew reads, and what it writes. */
const SEALED: Readonly<Record<string, { readonly key: string; readonly keyIds: string; readonly sealed: string }>> = {
  secrets: { key: 'name, version', keyIds: 'data_key_id', sealed: 'ciphertext' },
  webhooks: {
    key: 'id',
    keyIds: 'data_key_id, previous_data_key_id, headers_data_key_id',
    sealed: 'secret, previous_secret, headers',
  },
  identity_providers: { key: 'id', keyIds: 'secret_data_key_id', sealed: 'secret_ciphertext' },
  federated_identities: {
    key: 'issuer, subject, account_id',
    keyIds: 'refresh_data_key_id',
    sealed: 'refresh_ciphertext',
  },
  connectors: { key: 'id', keyIds: 'client_data_key_id', sealed: 'client_ciphertext' },
  connections: { key: 'connector_id, account_id', keyIds: 'data_key_id', sealed: 'ciphertext' },
  connection_endings: { key: 'id, connector_id, account_id', keyIds: 'data_key_id', sealed: 'ciphertext' },
  approvals: { key: 'id', keyIds: 'data_key_id', sealed: 'sealed_arguments' },
  tasks: { key: 'id', keyIds: 'data_key_id', sealed: 'answer' },
  tenant_exports: { key: 'id', keyIds: 'data_key_id', sealed: 'ciphertext' },
  idempotency_keys: { key: 'key_hash', keyIds: 'data_key_id', sealed: 'answer' },
};

/** Data keys of tenants can be replaced: what older ones sealed is sealed anew, and a key that nothing names is deleted. */
export class DataKeyRotation1763941000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`alter table data_keys add column unused_at timestamptz`);
    // As every other table: a data key never goes before what is sealed under it.
    for (const [table, column] of [
      ['approvals', 'data_key_id'],
      ['webhooks', 'previous_data_key_id'],
    ] as const)
      await runner.query(
        `alter table ${table} add foreign key (tenant_id, ${column}) references data_keys (tenant_id, id)`,
      );
    await runner.query(`
      create trigger data_keys_changed after insert or delete on data_keys for each row
        execute function notify_tenant_change('tenant_id')`);
    await runner.query(`
      grant update (unused_at), delete on data_keys to wharf_background;
      grant select (tenant_id, id, wrapped, created_at, unused_at), insert on data_keys to wharf_operator`);
    for (const [table, { key, keyIds, sealed }] of Object.entries(SEALED))
      await runner.query(`
        grant select (tenant_id, ${key}, ${keyIds}, ${sealed}), update (${keyIds}, ${sealed}) on ${table}
          to wharf_background;
        grant select (tenant_id, ${keyIds}) on ${table} to wharf_operator`);
  }

  async down(): Promise<void> {
    throw new Error('A tenant may have several data keys by now: restore a backup instead.');
  }
}
