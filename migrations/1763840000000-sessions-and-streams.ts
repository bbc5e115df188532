import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What a plan gives sessions, what a server's tenant chose for its agents, and data keys also where events are kept. */
export class SessionsAndStreams1763840000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table plans
        add column sessions_max integer not null default 1000 check (sessions_max > 0),
        add column client_sessions_max integer not null default 100 check (client_sessions_max > 0),
        add column session_idle_seconds integer not null default 1800 check (session_idle_seconds > 0)`);
    await runner.query(`update plans set sessions_max = 5000 where name = 'team'`);
    await runner.query(`update plans set sessions_max = 50000, client_sessions_max = 1000 where name = 'scale'`);
    await runner.query(`
      alter table servers
        add column sse_transport boolean not null default false,
        add column public_lists boolean not null default false`);
    await runner.query(`grant insert on data_keys to wharf_gateway`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`revoke insert on data_keys from wharf_gateway`);
    await runner.query(`alter table servers drop column sse_transport, drop column public_lists`);
    await runner.query(
      `alter table plans drop column sessions_max, drop column client_sessions_max, drop column session_idle_seconds`,
    );
  }
}
