import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * How often an operator's account has changed what it is: its role, whether it is open, how its owner proves who they are. An
 * impersonation carries the number that it was begun under, and opens nothing under another one. Those that were open before
 * carry none, and have ended.
 */
export class StandingOfOperators1763976000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table operator_accounts add column standing integer not null default 1;
      create function raise_operator_standing() returns trigger language plpgsql set search_path = public, pg_temp as $$
      begin
        new.standing := old.standing + 1;
        return new;
      end $$;
      create trigger operator_standing before update on operator_accounts for each row
        when ((old.role, old.disabled_at, old.enrolled_at, old.password_hash)
          is distinct from (new.role, new.disabled_at, new.enrolled_at, new.password_hash))
        execute function raise_operator_standing();
      alter table impersonations add column operator_standing integer;
      comment on column impersonations.operator_standing is 'of the account that began it; null: begun with an emergency key';
      grant select (standing, enrolled_at) on operator_accounts to wharf_control;
      grant select (id, key_shut_at) on operators to wharf_control`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- The release before knows no standing: what has ended by it would open again.
      alter table impersonations no force row level security;
      update impersonations set revoked_at = now() where revoked_at is null;
      alter table impersonations force row level security;
      revoke select (id, key_shut_at) on operators from wharf_control;
      revoke select (standing, enrolled_at) on operator_accounts from wharf_control;
      alter table impersonations drop column operator_standing;
      drop trigger operator_standing on operator_accounts;
      drop function raise_operator_standing();
      alter table operator_accounts drop column standing`);
  }
}
