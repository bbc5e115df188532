import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What is sealed with what is presented stays so: the service that settled it cannot take it back. */
export class SettledSealing1763918000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create function keep_sealing_settled() returns trigger language plpgsql as $$
      begin
        raise exception 'how rows are sealed is settled for good' using errcode = '42501';
      end $$;
      create trigger oauth_sealing_settled before update on oauth_sealing for each row
        when (old.settled_at is not null and new.settled_at is null and current_user = 'wharf_auth')
        execute function keep_sealing_settled()`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`drop trigger oauth_sealing_settled on oauth_sealing; drop function keep_sealing_settled()`);
  }
}
