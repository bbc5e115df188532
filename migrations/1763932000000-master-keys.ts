import type { MigrationInterface, QueryRunner } from 'typeorm';
import { CURRENT_TENANT, stampSharedTable } from './support/tenant-table.js';

const SERVICES = ['wharf_auth', 'wharf_control', 'wharf_operator', 'wharf_gateway', 'wharf_background'] as const;

/** Platform tables with a column that is sealed under the master key. */
const SEALED = [
  'signing_keys',
  'account_totp',
  'oauth_artifacts',
  'audit_keys',
  'mail_outbox',
  'platform_idempotency_keys',
] as const;

/**
 * Master keys can be replaced: what is sealed says under which one, and which ones there are is known. A row that says
 * none is sealed under the installation's first.
 */
export class MasterKeys1763932000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    const to = (grant: string) => Object.fromEntries(SERVICES.map((role) => [role, grant]));
    await runner.query(`
      create table master_keys (
        id text primary key check (id ~ '^[0-9a-f]{16}$'),
        canary bytea not null,
        created_at timestamptz not null default now(),
        rewrap_asked_at timestamptz,
        rewrapped_at timestamptz,
        left_at timestamptz
      )`);
    await stampSharedTable(runner, 'master_keys', 'the installation’s own; a canary each, and no key', {
      ...to('select'),
      wharf_operator: 'select, update (rewrap_asked_at, rewrapped_at)',
      wharf_background: 'select, update (rewrapped_at, left_at)',
    });
    await runner.query(`
      create table lasting_keys (
        purpose text primary key,
        sealed bytea not null,
        root_key_id text not null references master_keys (id)
      )`);
    await stampSharedTable(runner, 'lasting_keys', 'derived keys of the installation, sealed', {
      ...to('select'),
      wharf_background: 'select, update (sealed, root_key_id)',
    });
    await runner.query(`grant select on installation to ${SERVICES.join(', ')}`);
    await runner.query(`alter table person_keys add column root_key_id text, add column wrapped bytea`);
    await this.openToRewrap(runner);
  }

  private async openToRewrap(runner: QueryRunner): Promise<void> {
    for (const table of SEALED) {
      await runner.query(`alter table ${table} add column root_key_id text`);
      // What is sealed itself is read by its own service alone.
      await runner.query(`grant select (root_key_id) on ${table} to wharf_background, wharf_operator`);
    }
    await runner.query(`grant select (expires_at) on platform_idempotency_keys to wharf_operator`);
    await runner.query(`grant update (private_jwk, root_key_id) on signing_keys to wharf_auth`);
    for (const table of ['audit_keys', 'mail_outbox'])
      await runner.query(`grant update (sealed, root_key_id) on ${table} to wharf_background`);
    await runner.query(`grant delete on person_keys to wharf_background`);
    await runner.query(`
      create trigger data_keys_shredded after update on data_keys for each row
        when (new.wrapping_key_id = 'shredded') execute function notify_tenant_change('tenant_id')`);
    await runner.query(`grant update (wrapped, wrapping_key_id) on data_keys to wharf_background`);
    await runner.query(`grant update (wrapped, salt, root_key_id) on person_keys to wharf_background`);
    await runner.query(`grant select (wrapping_key_id) on data_keys to wharf_operator`);
    await runner.query(`grant select (root_key_id) on person_keys to wharf_operator`);
    for (const table of ['data_keys', 'person_keys'])
      await runner.query(`
        create policy ${table}_wharf_background_select on ${table} for select to wharf_background
          using (${CURRENT_TENANT} is null);
        comment on policy ${table}_wharf_background_select on ${table} is 'wraps all keys anew when the master key is replaced';
        create policy ${table}_wharf_background_update on ${table} for update to wharf_background
          using (${CURRENT_TENANT} is null)
          with check (${CURRENT_TENANT} is null);
        comment on policy ${table}_wharf_background_update on ${table} is 'wraps all keys anew when the master key is replaced';
        create policy ${table}_wharf_operator_select on ${table} for select to wharf_operator using (true);
        comment on policy ${table}_wharf_operator_select on ${table} is 'operators see how many keys each master key wraps'`);
  }

  async down(): Promise<void> {
    throw new Error('Rows may be sealed under another master key by now: restore a backup instead.');
  }
}
