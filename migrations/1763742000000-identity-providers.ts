import type { MigrationInterface, QueryRunner } from 'typeorm';
import { stampTenantTable } from './support/tenant-table.js';

/** Tenants connect OpenID providers of their own, whose people exist at that tenant alone. */
export class IdentityProviders1763742000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await this.provideProviders(runner);
    await this.provideAccounts(runner);
    await this.provideIdentities(runner);
    await runner.query(`grant insert, update (role), delete on members to wharf_auth`);
    await runner.query(`grant select on data_keys, egress_allowances to wharf_auth`);
    await runner.query(`grant update (revoked_at) on grants to wharf_control`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`revoke update (revoked_at) on grants from wharf_control`);
    await runner.query(`revoke select on data_keys, egress_allowances from wharf_auth`);
    await runner.query(`revoke insert, update (role), delete on members from wharf_auth`);
    await runner.query(`drop trigger members_at_home on members`);
    await runner.query(`drop function refuse_members_away_from_home`);
    await runner.query(`drop table federated_identities, identity_providers`);
    await runner.query(`
      delete from grants where account_id in (select id from accounts where home_tenant_id is not null)`);
    await runner.query(`
      delete from members where account_id in (select id from accounts where home_tenant_id is not null)`);
    await runner.query(`delete from accounts where home_tenant_id is not null`);
    await runner.query(`
      alter table accounts drop column home_tenant_id, drop column asserted_email,
        alter column email set not null, alter column password_hash set not null`);
  }

  private async provideProviders(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table identity_providers (
        tenant_id uuid not null references tenants (id),
        id uuid not null,
        name text not null,
        issuer text not null,
        client_id text not null,
        secret_data_key_id uuid not null,
        secret_ciphertext bytea not null,
        scopes text[] not null,
        email_domains text[] not null,
        group_claim text,
        group_roles jsonb not null,
        default_role text check (default_role in ('admin', 'developer', 'auditor', 'user')),
        just_in_time boolean not null,
        accepts_assertions boolean not null,
        sign_in_again_hours integer not null check (sign_in_again_hours between 24 and 720),
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now(),
        primary key (tenant_id, id),
        constraint identity_providers_issuer_key unique (tenant_id, issuer),
        foreign key (tenant_id, secret_data_key_id) references data_keys (tenant_id, id)
      )`);
    await stampTenantTable(runner, 'identity_providers', {
      grants: { wharf_auth: 'select', wharf_control: 'select, insert, update, delete' },
    });
  }

  /** A person that a tenant's provider names has neither e-mail nor password here: nothing can be looked up by them. */
  private async provideAccounts(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table accounts
        add column home_tenant_id uuid references tenants (id),
        add column asserted_email text,
        alter column email drop not null,
        alter column password_hash drop not null,
        add constraint accounts_credentials check (
          case when home_tenant_id is null then num_nonnulls(email, password_hash) = 2 and asserted_email is null
          else num_nonnulls(email, password_hash) = 0 end)`);
    await runner.query(`
      comment on column accounts.asserted_email is
        'what the home tenant''s provider says: shown to people, never looked up, never proof of anything'`);
    await runner.query(`
      grant insert (id, home_tenant_id, asserted_email), update (asserted_email) on accounts to wharf_auth`);
    await runner.query(`
      create function refuse_members_away_from_home() returns trigger language plpgsql
        set search_path = pg_catalog as $$
      begin
        if exists (select from public.accounts a where a.id = new.account_id and a.home_tenant_id <> new.tenant_id) then
          raise exception 'an account of one tenant''s provider cannot be a member of another';
        end if;
        return new;
      end $$`);
    await runner.query(`
      create trigger members_at_home before insert or update on members
        for each row execute function refuse_members_away_from_home()`);
  }

  private async provideIdentities(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table federated_identities (
        tenant_id uuid not null references tenants (id),
        issuer text not null,
        subject text not null,
        account_id uuid not null references accounts (id),
        signed_in_at timestamptz not null default now(),
        created_at timestamptz not null default now(),
        primary key (tenant_id, issuer, subject),
        constraint federated_identities_account_key unique (tenant_id, account_id)
      )`);
    await stampTenantTable(runner, 'federated_identities', {
      grants: { wharf_auth: 'select, insert, update (signed_in_at)', wharf_control: 'select' },
    });
  }
}
