import type { MigrationInterface, QueryRunner } from 'typeorm';
import { stampSharedTable } from './support/tenant-table.js';

const REASON = 'operators belong to the platform';

/** Operators get accounts: invited, signed in by password and one-time code, with sessions and keys of their own. */
export class OperatorAccounts1763935000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    // An operator with an account has no key of this kind: that is what the one of the configuration is known by.
    await runner.query(`alter table operators alter column key_hash drop not null`);
    await runner.query(`
      create table operator_accounts (
        operator_id uuid primary key references operators (id),
        email text not null constraint operator_accounts_email_key unique check (email = lower(email)),
        role text not null check (role in ('support', 'operator', 'admin')),
        invited_by uuid not null references operators (id),
        invitation_hash text unique,
        invitation_expires_at timestamptz,
        password_hash text,
        totp_sealed bytea,
        root_key_id text,
        totp_last_step bigint not null default 0,
        enrolled_at timestamptz,
        disabled_at timestamptz,
        failed_attempts integer not null default 0,
        locked_until timestamptz,
        last_signed_in_at timestamptz,
        created_at timestamptz not null default now(),
        check (enrolled_at is null or (password_hash is not null and totp_sealed is not null))
      );
      create table operator_credentials (
        id uuid primary key,
        operator_id uuid not null references operator_accounts (operator_id),
        kind text not null check (kind in ('session', 'key')),
        name text not null,
        role text not null check (role in ('support', 'operator', 'admin')),
        prefix text not null,
        secret_hash text not null unique,
        created_at timestamptz not null default now(),
        expires_at timestamptz not null,
        last_used_at timestamptz,
        revoked_at timestamptz
      );
      create index operator_credentials_operator on operator_credentials (operator_id, created_at desc)`);
    for (const table of ['operator_accounts', 'operator_credentials'])
      await stampSharedTable(runner, table, REASON, { wharf_operator: 'select, insert, update, delete' });
    await runner.query(`grant select (root_key_id, enrolled_at) on operator_accounts to wharf_background`);
    await runner.query(`create index operator_actions_operator on operator_actions (operator_id, at desc, id desc);
      create index operator_actions_tenant on operator_actions (tenant_id, at desc, id desc) where tenant_id is not null`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`drop index operator_actions_operator; drop index operator_actions_tenant`);
    await runner.query(`drop table operator_credentials; drop table operator_accounts`);
  }
}
