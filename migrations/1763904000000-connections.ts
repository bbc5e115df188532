import type { MigrationInterface, QueryRunner } from 'typeorm';
import { stampTenantTable } from './support/tenant-table.js';

const SERVICES = { wharf_gateway: 'select', wharf_auth: 'select', wharf_control: 'select' };

/** Where people log in at upstreams, what each of them holds there, and what is still to be revoked. */
export class Connections1763904000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await this.provideConnectors(runner);
    await this.provideConnections(runner);
    await this.provideEndings(runner);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`revoke insert on outbox from wharf_auth`);
    await runner.query(`revoke select on secrets from wharf_auth`);
    await runner.query(`drop trigger connections_ended on connections`);
    await runner.query(`drop function end_connection`);
    await runner.query(`drop table connection_endings, connections, connectors`);
  }

  private async provideConnectors(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table connectors (
        tenant_id uuid not null references tenants (id),
        id uuid not null,
        name text not null check (name ~ '^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$'),
        title text not null,
        settings jsonb not null,
        issuer text not null,
        origins text[] not null,
        client_data_key_id uuid not null,
        client_ciphertext bytea not null,
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now(),
        primary key (tenant_id, id),
        constraint connectors_name_key unique (tenant_id, name),
        foreign key (tenant_id, client_data_key_id) references data_keys (tenant_id, id)
      )`);
    await stampTenantTable(runner, 'connectors', {
      grants: { ...SERVICES, wharf_control: 'select, insert, update, delete', wharf_background: 'select' },
    });
    await runner.query(`
      create trigger connectors_changed after insert or update or delete on connectors
        for each row execute function notify_tenant_change('tenant_id')`);
  }

  /** `lease` is who refreshes it now; nobody waits for it within a transaction. */
  private async provideConnections(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table connections (
        tenant_id uuid not null references tenants (id),
        connector_id uuid not null,
        account_id uuid not null,
        issuer text not null,
        scope text,
        state text not null check (state in ('connected', 'reconnect')),
        version integer not null default 1,
        data_key_id uuid not null,
        ciphertext bytea not null,
        connected_at timestamptz not null default now(),
        refreshed_at timestamptz not null default now(),
        expires_at timestamptz,
        lease uuid,
        leased_until timestamptz,
        primary key (tenant_id, connector_id, account_id),
        foreign key (tenant_id, connector_id) references connectors (tenant_id, id) on delete cascade,
        foreign key (tenant_id, account_id) references members (tenant_id, account_id) on delete cascade,
        foreign key (tenant_id, data_key_id) references data_keys (tenant_id, id),
        check (num_nonnulls(lease, leased_until) in (0, 2))
      )`);
    await runner.query(`create index connections_of_person on connections (tenant_id, account_id)`);
    await stampTenantTable(runner, 'connections', {
      grants: {
        wharf_gateway: 'select, update',
        wharf_control: 'select, update, delete',
        wharf_auth: 'select, insert, update, delete',
      },
    });
    await runner.query(`
      create trigger connections_changed
        after insert or delete or update of state, issuer on connections
        for each row execute function notify_tenant_change('tenant_id')`);
  }

  /**
   * What was held at an upstream outlives its row until it is revoked there, however the row went: by the person, with
   * the connector, or with the person's membership.
   */
  private async provideEndings(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table connection_endings (
        tenant_id uuid not null references tenants (id),
        id uuid not null,
        connector_id uuid not null,
        account_id uuid not null,
        data_key_id uuid not null,
        ciphertext bytea not null,
        ended_at timestamptz not null default now(),
        primary key (tenant_id, id),
        foreign key (tenant_id, data_key_id) references data_keys (tenant_id, id)
      )`);
    await stampTenantTable(runner, 'connection_endings', {
      grants: {
        wharf_auth: 'select, insert',
        wharf_control: 'select, insert',
        wharf_background: 'select, insert, delete',
      },
    });
    await runner.query(`grant insert on outbox to wharf_auth`);
    await runner.query(`grant select on secrets to wharf_auth`);
    await runner.query(`
      create function end_connection() returns trigger language plpgsql set search_path = pg_catalog as $$
      declare ending uuid := gen_random_uuid();
      begin
        insert into public.connection_endings (tenant_id, id, connector_id, account_id, data_key_id, ciphertext)
          values (old.tenant_id, ending, old.connector_id, old.account_id, old.data_key_id, old.ciphertext);
        insert into public.outbox (tenant_id, id, queue, name, payload, attempts_max)
          values (old.tenant_id, gen_random_uuid(), 'tenants', 'revoke-connection',
            jsonb_build_object('tenantId', old.tenant_id, 'endingId', ending), 10);
        return old;
      end $$`);
    await runner.query(`
      create trigger connections_ended after delete on connections
        for each row execute function end_connection()`);
  }
}
