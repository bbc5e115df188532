import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Whoever gives a client another secret, or other keys, writes down in the same statement whom they were given to. Who does
 * not, as a service of an earlier version while the next is rolled out, leaves a client of which nobody knows whose it is:
 * what is called with it, nobody approves.
 */
export class KnownHolders1763968200000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table clients add column holders_noted integer not null default 0;
      comment on column clients.holders_noted is 'how often somebody wrote down who was given its secret or its keys';
      create function mark_unknown_holder() returns trigger language plpgsql set search_path = pg_catalog as $$
      begin
        new.maker_unknown := true;
        return new;
      end $$;
      create trigger clients_given before update of secret_hash, key_set, key_set_url on clients for each row
        when (new.holders_noted = old.holders_noted
          and (new.secret_hash, new.key_set, new.key_set_url) is distinct from (old.secret_hash, old.key_set, old.key_set_url))
        execute function mark_unknown_holder();
      comment on column clients.maker_unknown is 'it, or what it proves itself with, was given by whoever did not write down to whom'`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      drop trigger clients_given on clients;
      drop function mark_unknown_holder;
      alter table clients drop column holders_noted;
      comment on column clients.maker_unknown is 'written by whoever did not know of makers'`);
  }
}
