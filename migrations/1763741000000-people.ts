import type { MigrationInterface, QueryRunner } from 'typeorm';
import { stampSharedTable } from './support/tenant-table.js';

const TABLES = `
alter table accounts add column email_verified_at timestamptz, add column sessions_ended_at timestamptz;

create table account_tokens (
  token_hash text primary key check (token_hash ~ '^[0-9a-f]{64}$'),
  account_id uuid not null references accounts (id) on delete cascade,
  purpose text not null check (purpose in ('verify_email', 'reset_password')),
  created_at timestamptz not null default now(),
  expires_at timestamptz not null
);
create index account_tokens_account on account_tokens (account_id, purpose);
create index account_tokens_expiry on account_tokens (expires_at);

create table mail_outbox (
  id uuid primary key,
  sealed bytea not null,
  attempts integer not null default 0,
  created_at timestamptz not null default now(),
  due_at timestamptz not null default now(),
  expires_at timestamptz not null
);
create index mail_outbox_due on mail_outbox (due_at);

create table account_totp (
  account_id uuid primary key references accounts (id) on delete cascade,
  sealed bytea not null,
  confirmed_at timestamptz,
  last_step bigint not null default 0,
  created_at timestamptz not null default now()
);

create table recovery_codes (
  account_id uuid not null references accounts (id) on delete cascade,
  code_hash text not null check (code_hash ~ '^[0-9a-f]{64}$'),
  primary key (account_id, code_hash)
);

create table passkeys (
  credential_id text primary key,
  account_id uuid not null references accounts (id) on delete cascade,
  name text not null,
  public_key bytea not null,
  counter bigint not null,
  transports text[] not null,
  created_at timestamptz not null default now(),
  last_used_at timestamptz
);
create index passkeys_account on passkeys (account_id);

create table used_challenges (
  challenge_hash text primary key check (challenge_hash ~ '^[0-9a-f]{64}$'),
  expires_at timestamptz not null
);
create index used_challenges_expiry on used_challenges (expires_at);

alter table oauth_artifacts add column account_id uuid;
create index oauth_artifacts_account on oauth_artifacts (account_id) where account_id is not null;
-- Sessions from before do not say whose they are, so nothing could end them.
delete from oauth_artifacts where model = 'Session';

create trigger mail_outbox_written after insert on mail_outbox for each statement execute function notify_outbox();
`;

/** The person of the transaction, as `app.account_id` names them; unset matches nothing. */
const CURRENT_ACCOUNT = `(select nullif(current_setting('app.account_id', true), '')::uuid)`;

const OWN = 'select, insert, update, delete';

/** People prove their address, get back in without a password, and protect their account with a second factor. */
export class People1763741000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(TABLES);
    await runner.query(`grant update (password_hash, email_verified_at, sessions_ended_at) on accounts to wharf_auth`);
    await stampSharedTable(runner, 'account_tokens', 'links in mails prove an account, not a tenant', {
      wharf_auth: 'select, insert, delete',
      wharf_control: 'insert',
    });
    await stampSharedTable(runner, 'mail_outbox', 'mails go to people; addresses and texts are sealed', {
      wharf_auth: 'insert',
      wharf_control: 'insert',
      wharf_background: 'select, update, delete',
    });
    await stampSharedTable(runner, 'account_totp', 'a second factor belongs to a person', { wharf_auth: OWN });
    await stampSharedTable(runner, 'recovery_codes', 'a second factor belongs to a person', {
      wharf_auth: 'select, insert, delete',
    });
    await stampSharedTable(runner, 'passkeys', 'a passkey belongs to a person', { wharf_auth: OWN });
    await stampSharedTable(runner, 'used_challenges', 'hashes of passkey challenges that were answered', {
      wharf_auth: 'select, insert, delete',
    });
    const policy = 'members_wharf_auth_select';
    const reason = 'what happens to a person’s sign-in is recorded at every tenant they belong to';
    await runner.query(
      `create policy ${policy} on members for select to wharf_auth using (account_id = ${CURRENT_ACCOUNT})`,
    );
    await runner.query(`comment on policy ${policy} on members is '${reason}'`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`drop policy members_wharf_auth_select on members`);
    await runner.query(
      `revoke update (password_hash, email_verified_at, sessions_ended_at) on accounts from wharf_auth`,
    );
    await runner.query(
      `drop table used_challenges, passkeys, recovery_codes, account_totp, mail_outbox, account_tokens`,
    );
    await runner.query(`alter table oauth_artifacts drop column account_id`);
    await runner.query(`alter table accounts drop column email_verified_at, drop column sessions_ended_at`);
  }
}
