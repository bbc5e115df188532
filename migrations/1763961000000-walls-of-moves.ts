import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What a copy has in place of a password, here and in `copyAccount` of the control-plane: no password fits. */
const NO_PASSWORDS = `'kept in the common database', 'copied'`;
const SHARED = ['accounts', 'operators', 'plans'];

/**
 * Who moves tenants writes copies of shared rows into dedicated databases. In the common one it changes none of them, adds
 * no operator and no plan, and of people only those whom nobody can sign in as yet: they choose a password by mail. It reads no password
 * and no operator's key. Who asks for moves says where from, and operators alone where to.
 */
export class WallsOfMoves1763961000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      revoke insert on operator_actions from wharf_mover;
      revoke select, insert, update on operators, accounts from wharf_mover;
      grant select (id, name), insert (id, name), update (name) on operators to wharf_mover;
      grant select (id, email, email_verified_at, home_tenant_id, asserted_email, created_at),
        insert (id, email, password_hash, email_verified_at, home_tenant_id, asserted_email, created_at),
        update (email, password_hash, email_verified_at, home_tenant_id, asserted_email, created_at)
        on accounts to wharf_mover;
      revoke insert on tenant_moves from wharf_life_cycle, wharf_operator;
      grant insert (id, tenant_id, from_database, reason) on tenant_moves to wharf_life_cycle;
      grant insert (id, tenant_id, from_database, to_database, reason, requested_by) on tenant_moves to wharf_operator;
      revoke update on tenant_moves from wharf_mover;
      grant update (state, closed_at, opened_at, ended_at, content, attempts, failure) on tenant_moves to wharf_mover;
      create function keep_common_rows() returns trigger language plpgsql set search_path = pg_catalog as $$
      begin
        if (select i.database from public.installation i) is not null then return new; end if;
        if tg_op = 'UPDATE' or tg_table_name <> 'accounts' then
          raise exception 'the common database has % of its own', tg_table_name using errcode = '42501';
        end if;
        if to_jsonb(new) ->> 'password_hash' not in (${NO_PASSWORDS}) then
          raise exception 'nobody brings a password along' using errcode = '42501';
        end if;
        return new;
      end $$`);
    for (const table of SHARED)
      await runner.query(`create trigger ${table}_of_the_common before insert or update on ${table} for each row
        when (current_user = 'wharf_mover') execute function keep_common_rows()`);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of SHARED) await runner.query(`drop trigger ${table}_of_the_common on ${table}`);
    await runner.query(`
      drop function keep_common_rows;
      revoke update (state, closed_at, opened_at, ended_at, content, attempts, failure) on tenant_moves from wharf_mover;
      grant update on tenant_moves to wharf_mover;
      revoke insert (id, tenant_id, from_database, to_database, reason, requested_by) on tenant_moves from wharf_operator;
      revoke insert (id, tenant_id, from_database, reason) on tenant_moves from wharf_life_cycle;
      grant insert on tenant_moves to wharf_life_cycle, wharf_operator;
      revoke select, insert, update on operators, accounts from wharf_mover;
      grant select, insert, update on operators, accounts to wharf_mover;
      grant insert on operator_actions to wharf_mover`);
  }
}
